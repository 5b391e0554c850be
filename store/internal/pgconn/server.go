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
func readServer(conn pqConn) (server, error) {
	row := make([]driver.Value, 3)
	err := readRow(conn, selectServer, row)
	if pq.As(err, pqerror.ObjectNotInPrerequisiteState) != nil {
		return server{}, refuseStandby(conn)
	}
	if err != nil {
		return server{}, unlessTold(err)
	}
	var s server
	for i, into := range []*int64{&s.system, &s.timeline, &s.started} {
		n, ok := row[i].(int64)
		if !ok {
			return server{}, nil
		}
		*into = n
	}
	return s, nil
}

// refuseStandby fails with errReadOnly on a standby. The error of selectServer does not tell: a primary of Amazon Aurora
// without logical replication has the same one ("wal_level must be set to 'logical'").
func refuseStandby(conn pqConn) error {
	row := make([]driver.Value, 1)
	err := readRow(conn, selectRecovery, row)
	if err == nil && row[0] == true {
		return errReadOnly
	}
	return unlessTold(err)
}

// selectRecovery tells whether the server is a standby.
const selectRecovery = `SELECT pg_is_in_recovery()`

// readRow reads the only row of a query.
func readRow(conn pqConn, query string, row []driver.Value) error {
	rows, err := conn.QueryContext(context.Background(), query, nil)
	if err != nil {
		return err
	}
	return errors.Join(rows.Next(row), rows.Close())
}

// unlessTold returns the error of a connection, but not that of a statement: an engine that has no answer still serves.
func unlessTold(err error) error {
	if e := pq.As(err); e != nil && !e.Fatal() {
		return nil
	}
	return err
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
