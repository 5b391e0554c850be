package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// onHosts returns the URL of several servers.
func onHosts(clusters ...*postgrestest.Cluster) string {
	var hosts []string
	for _, c := range clusters {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", c.Port()))
	}
	return "postgres://postgres@" + strings.Join(hosts, ",") + "/postgres?sslmode=disable&wait=2s"
}

// find looks for a token.
func find(t *testing.T, s *postgres.Store, key string) error {
	t.Helper()
	_, _, err := s.FindToken(t.Context(), "default", core.Presented(key))
	return err
}

// awaitReplay waits until the standby has all that the primary has.
func awaitReplay(t *testing.T, primary, standby *postgrestest.Cluster) {
	t.Helper()
	var end string
	primary.Get(t, &end, `SELECT pg_current_wal_lsn()::text`)
	postgrestest.Eventually(t, func() error {
		var there bool
		if standby.Get(t, &there, `SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, FALSE)`, end); !there {
			return errors.New("the standby lags")
		}
		return nil
	})
}

// TestReplacedPrimary has a primary die, its standby replace it, and then both take writes, as when
// the machine of the first is started again: what the second has acknowledged holds, whatever becomes of it.
func TestReplacedPrimary(t *testing.T) {
	t.Parallel()
	first := postgrestest.Start(t, postgrestest.Options{})
	s := mustOpen(t, onHosts(first))
	_, token := someone(t, s, 1)
	second := postgrestest.StartStandby(t, first, "second", postgrestest.Options{})
	s = mustOpen(t, onHosts(first, second))
	awaitReplay(t, first, second)
	first.Kill(t)
	second.Promote(t)
	postgrestest.Eventually(t, func() error { return s.DeleteToken(t.Context(), token.Digest, nil) })
	first.StartAgain(t)
	for _, hosts := range [][]*postgrestest.Cluster{{first, second}, {second, first}} {
		// A process that knows nothing of what was.
		if err := find(t, mustOpen(t, onHosts(hosts...)), "someone 1"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a new process: error %v", err)
		}
	}
	if err := find(t, s, "someone 1"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("while both are there: error %v", err)
	}
	second.Stop(t)
	for range 5 {
		err := find(t, s, "someone 1")
		if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "the server was replaced: it is on timeline 1, and its successor on timeline 2") {
			t.Errorf("without the second: error %v", err)
		}
	}
	second.StartAgain(t)
	postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) })
	if err := find(t, s, "someone 1"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("at the end: error %v", err)
	}
}

// TestPoolerAtStandby has a pooler stay with a primary that has become a standby, and lags: nothing is read there, not
// by connections that were open before, nor by new ones, which the pooler tells what was.
func TestPoolerAtStandby(t *testing.T) {
	t.Parallel()
	first := postgrestest.Start(t, postgrestest.Options{})
	s := mustOpen(t, first.DSN())
	user, token := someone(t, s, 1)
	second := postgrestest.StartStandby(t, first, "second", postgrestest.Options{})
	pooled := postgrestest.Pooler(t, first.DSN(), 4)
	old, unprepared := mustOpen(t, pooled), mustOpen(t, pooled)
	if err := find(t, old, "someone 1"); err != nil {
		t.Fatal(err)
	}
	awaitReplay(t, first, second)
	first.Stop(t)
	second.Promote(t)
	s = mustOpen(t, second.DSN())
	first.Follow(t, second, "first")
	first.Exec(t, `SELECT pg_wal_replay_pause()`)
	if err := s.DeleteToken(t.Context(), token.Digest, nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for name, s := range map[string]*postgres.Store{"old": old, "unprepared": unprepared} {
			for call, err := range map[string]error{
				"check": find(t, s, "someone 1"), "check of an unknown token": find(t, s, "nobody"), "ping": s.Ping(t.Context()),
				"account": func() error { _, err := s.AccountByID(t.Context(), user.ID); return err }(),
			} {
				if !errors.Is(err, core.ErrUnavailable) {
					t.Errorf("%s connection, %s: error %v", name, call, err)
				}
			}
		}
	}
	first.Exec(t, `SELECT pg_wal_replay_resume()`)
	awaitReplay(t, second, first)
	second.Kill(t)
	first.Promote(t)
	for _, s := range []*postgres.Store{old, unprepared} {
		postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) })
		if err := find(t, s, "someone 1"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("at the primary: error %v", err)
		}
		if account, err := s.AccountByID(t.Context(), user.ID); err != nil || account.Username != user.Username {
			t.Errorf("at the primary: account %q, error %v", account.Username, err)
		}
	}
}
