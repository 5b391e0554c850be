package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// awaitStandby makes every commit of the cluster wait for a standby that does
// not exist, or for none.
func awaitStandby(t *testing.T, c *postgrestest.Cluster, name string) {
	t.Helper()
	c.Exec(t, `ALTER SYSTEM SET synchronous_standby_names = '`+name+`'`, `SELECT pg_reload_conf()`)
	patiently(t, func() error {
		var now string
		if c.Get(t, &now, `SHOW synchronous_standby_names`); now != name {
			return fmt.Errorf("it is %q", now)
		}
		return nil
	})
}

// TestStandbyAway lets commits wait for a standby for longer than a call does:
// calls that write fail in time, without taking all connections, and those that
// look go on.
func TestStandbyAway(t *testing.T) {
	t.Parallel()
	const wait = 300 * time.Millisecond
	cluster := postgrestest.Start(t, postgrestest.Options{})
	s := at(t, cluster, "wait", wait.String(), "pool_size", "6")
	user, _ := someone(t, s, 0)
	awaitStandby(t, cluster, "nobody")
	for i := range 12 {
		began := time.Now()
		if err := s.IssueToken(t.Context(), tokenOf(user, fmt.Sprint(i))); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("write %d: error %v", i, err)
		}
		if took := time.Since(began); took > wait+soon {
			t.Errorf("write %d: answered after %v", i, took)
		}
		if !there(t, s, user.Username) {
			t.Error("a look-up fails")
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	var waiting int
	if cluster.Get(t, &waiting, `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`); waiting != 3 {
		t.Errorf("%d commits wait", waiting)
	}
	awaitStandby(t, cluster, "")
	patiently(t, func() error { return s.IssueToken(t.Context(), tokenOf(user, "after")) })
	wantBack(t, s, user)
}

// TestDoubtAwaitsStandby crashes a primary while a commit waits for the standby.
// After the restart the primary has the commit and the standby does not: it must
// not be acknowledged, as long as another primary may come that has not got it.
func TestDoubtAwaitsStandby(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	direct := at(t, cluster)
	s := at(t, cluster, "wait", "3s")
	number := 0
	for name, prepare := range operations() {
		number++
		op := prepare(t, direct, number)
		awaitStandby(t, cluster, "nobody")
		answered := make(chan error)
		go func() { answered <- op.run(t.Context(), s) }()
		awaitCommits(t, cluster, 1)
		cluster.Crash(t)
		cluster.StartAgain(t)
		// The call looks again, sees its own commit, and waits for the standby.
		awaitCommits(t, cluster, 1)
		if !op.done(t, direct) {
			t.Errorf("%s: not done", name)
		}
		select {
		case err := <-answered:
			t.Errorf("%s: answered, without the standby: %v", name, err)
		default:
		}
		awaitStandby(t, cluster, "")
		if err := <-answered; err != nil {
			t.Errorf("%s: with the standby: %v", name, err)
		}
	}
}

// awaitCommits waits until so many commits wait for a standby.
func awaitCommits(t *testing.T, c *postgrestest.Cluster, count int) {
	t.Helper()
	patiently(t, func() error {
		var waiting int
		if c.Get(t, &waiting, `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`); waiting < count {
			return fmt.Errorf("%d commits wait", waiting)
		}
		return nil
	})
}

// TestCancelledCommit lets an operator cancel the wait for the standby, upon
// which the server acknowledges a commit that the standby has not got.
func TestCancelledCommit(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	s := at(t, cluster, "wait", "3s")
	user, _ := someone(t, s, 0)
	awaitStandby(t, cluster, "nobody")
	answered := make(chan error)
	go func() { answered <- s.IssueToken(t.Context(), tokenOf(user, "issued")) }()
	for range 2 { // the commit, and the look after it
		awaitCommits(t, cluster, 1)
		cluster.Exec(t, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
	}
	awaitCommits(t, cluster, 1)
	select {
	case err := <-answered:
		t.Errorf("answered: %v", err)
	default:
	}
	awaitStandby(t, cluster, "")
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestContextEndsDuringCommit ends the context of each call while its commit
// waits: the commit is not cut short, and is acknowledged.
func TestContextEndsDuringCommit(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	s := at(t, cluster, "wait", "3s")
	number := 0
	for name, prepare := range operations() {
		number++
		op := prepare(t, s, number)
		awaitStandby(t, cluster, "nobody")
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan error)
		go func() { answered <- op.run(ctx, s) }()
		awaitCommits(t, cluster, 1)
		cancel()
		awaitStandby(t, cluster, "")
		if err := <-answered; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !op.done(t, s) {
			t.Errorf("%s: not done", name)
		}
	}
}
