package pgconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// server tells which process of which cluster a connection reaches, and on which timeline that is. The zero
// server is one of an engine, or for a role, that does not tell.
type server struct {
	system   int64 // the cluster's identifier, which its standbys have too
	timeline int64 // higher by at least one after each promotion
	started  int64 // when the process was, in microseconds since 1970
}

// selectServer returns the columns of a server (PostgreSQL 15, 9.27 System Administration Functions). The last
// checkpoint's timeline would be the one of before, for some time after a promotion. It fails on a standby.
const selectServer = `SELECT system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint,
	(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint FROM pg_control_system()`

// readServer returns the server of a connection, or fails with errReadOnly on a standby: what a pooler tells
// of its server may be older than that server's demotion.
func readServer(conn pqConn) (s server, err error) {
	rows, err := conn.QueryContext(context.Background(), selectServer, nil)
	if pq.As(err, pqerror.ObjectNotInPrerequisiteState) != nil {
		return server{}, errReadOnly
	}
	if e := pq.As(err); e != nil && !e.Fatal() {
		return server{}, nil
	}
	if err != nil {
		return server{}, err
	}
	row := make([]driver.Value, 3)
	err = errors.Join(rows.Next(row), rows.Close())
	if e := pq.As(err); e != nil && !e.Fatal() {
		return server{}, nil
	}
	if err != nil {
		return server{}, err
	}
	for i, into := range []*int64{&s.system, &s.timeline, &s.started} {
		n, ok := row[i].(int64)
		if !ok {
			return server{}, nil
		}
		*into = n
	}
	return s, nil
}

// history knows the latest timeline that was used of each cluster. A primary on an earlier one has been
// replaced: it lacks what its successor has acknowledged, logouts too.
type history struct {
	mu     sync.Mutex
	latest map[int64]int64 // timelines by cluster
}

// check fails if the server has been replaced.
func (h *history) check(s server) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if latest := h.latest[s.system]; s.timeline < latest {
		return fmt.Errorf("the server was replaced: it is on timeline %d, and its successor on timeline %d: stop it, and rewind or rebuild it as a standby", s.timeline, latest)
	}
	return nil
}

// use notes that a server is used, and reports whether it replaces one that was used before.
func (h *history) use(s server) (replaces bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	latest, known := h.latest[s.system]
	if s == (server{}) || s.timeline <= latest {
		return false
	}
	if h.latest == nil {
		h.latest = make(map[int64]int64)
	}
	h.latest[s.system] = s.timeline
	return known
}
