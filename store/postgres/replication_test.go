package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// awaitStandby makes every commit of the cluster wait for a standby that does not
// exist, or for none. When the test ends, none is waited for: others use the cluster.
func awaitStandby(t *testing.T, c *postgrestest.Cluster, name string) {
	t.Helper()
	if name != "" {
		t.Cleanup(func() { c.Exec(t, `ALTER SYSTEM SET synchronous_standby_names = ''`, `SELECT pg_reload_conf()`) })
	}
	c.Exec(t, `ALTER SYSTEM SET synchronous_standby_names = '`+name+`'`, `SELECT pg_reload_conf()`)
	postgrestest.Eventually(t, func() error {
		var now string
		if c.Get(t, &now, `SHOW synchronous_standby_names`); now != name {
			return fmt.Errorf("it is %q", now)
		}
		return nil
	})
	// Commits go by what the checkpointer has read of the settings (postgres/src/backend/replication/syncrep.c 15,
	// SyncRepUpdateSyncStandbysDefined), which it does before it makes a checkpoint.
	c.Exec(t, `CHECKPOINT`)
}

// TestReplication has a primary whose commits wait for a standby that is down.
func TestReplication(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	t.Run("the standby is away", func(t *testing.T) { standbyAway(t, cluster) })
	t.Run("other connections are lost meanwhile", func(t *testing.T) { othersLost(t, cluster) })
	t.Run("the network breaks meanwhile", func(t *testing.T) { brokenWhileWaiting(t, cluster) })
	t.Run("a wait is cancelled", func(t *testing.T) { cancelledCommit(t, cluster) })
	t.Run("a wait is cancelled, and warnings are off", func(t *testing.T) { cancelledCommit(t, cluster, "options", "-c client_min_messages=error") })
	t.Run("a context ends during the commit", func(t *testing.T) { contextEndsDuringCommit(t, cluster) })
	t.Run("the primary crashes", func(t *testing.T) { ambiguousCommitsAwaitStandby(t, cluster) })
}

// standbyAway has commits wait for a standby for longer than a call does: calls that
// write fail in time, without using up all connections, and those that read still
// succeed.
func standbyAway(t *testing.T, cluster *postgrestest.Cluster) {
	const wait = 300 * time.Millisecond
	s := at(t, cluster, "schema", "away", "wait", wait.String(), "pool_size", "6")
	user, _ := someone(t, s, 0)
	awaitStandby(t, cluster, "nobody")
	for i := range 6 {
		began := time.Now()
		if err := s.IssueToken(t.Context(), tokenOf(user, fmt.Sprint(i)), "", 0, nil); !errors.Is(err, core.ErrUnavailable) {
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
	if cluster.Get(t, &waiting, waitingCommits); waiting != 3 {
		t.Errorf("%d commits wait", waiting)
	}
	awaitStandby(t, cluster, "")
	postgrestest.Eventually(t, func() error { return s.IssueToken(t.Context(), tokenOf(user, "after"), "", 0, nil) })
	wantBack(t, s, user)
}

// othersLost has an operator end other connections while commits wait for a standby: the server goes on with such a
// commit whether its client is there or not, so that clients that gave it up and tried again would use up
// the server's connections.
func othersLost(t *testing.T, cluster *postgrestest.Cluster) {
	s := at(t, cluster, "schema", "lost", "wait", "300ms", "pool_size", "6")
	user, _ := someone(t, s, 0)
	awaitStandby(t, cluster, "nobody")
	for i := range 30 { // for a few times as long as a commit on a lost connection may take
		if err := s.IssueToken(t.Context(), tokenOf(user, fmt.Sprint(i)), "", 0, nil); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("write %d: error %v", i, err)
		}
		if i%15 == 4 {
			cluster.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'authcompat' AND wait_event <> 'SyncRep'`)
		}
		if !there(t, s, user.Username) {
			t.Error("a look-up fails")
		}
	}
	var waiting int
	if cluster.Get(t, &waiting, waitingCommits); waiting != 3 {
		t.Errorf("%d commits wait", waiting)
	}
	awaitStandby(t, cluster, "")
	postgrestest.Eventually(t, func() error { return s.IssueToken(t.Context(), tokenOf(user, "after"), "", 0, nil) })
	wantBack(t, s, user)
}

// brokenWhileWaiting breaks the connections whose commits wait for a standby: each call is made again, meets what the
// server is still committing, and succeeds when that is done.
func brokenWhileWaiting(t *testing.T, cluster *postgrestest.Cluster) {
	proxy, through := postgrestest.NewSharedProxy(t, cluster.DSN())
	direct := at(t, cluster, "schema", "broken")
	s := mustOpen(t, postgrestest.With(t, through, "schema", "broken", "wait", patient))
	calls := callAll(t, t.Context(), s, direct, cluster)
	proxy.Break()
	postgrestest.Eventually(t, func() error {
		var again int
		if cluster.Get(t, &again, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' OR wait_event = 'SyncRep'`); again < 2*len(calls) {
			return fmt.Errorf("%d transactions wait", again)
		}
		return nil
	})
	awaitStandby(t, cluster, "")
	for name, c := range calls {
		if err := <-c.answered; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !c.done(t, s) {
			t.Errorf("%s: not done", name)
		}
	}
}

// ambiguousCommitsAwaitStandby crashes a primary while commits wait for the standby.
// After the restart the primary has the commits and the standby does not: they must not
// be acknowledged as long as a primary without them may take over.
func ambiguousCommitsAwaitStandby(t *testing.T, cluster *postgrestest.Cluster) {
	direct := at(t, cluster, "schema", "ambiguous")
	s := at(t, cluster, "schema", "ambiguous", "wait", patient)
	calls := callAll(t, t.Context(), s, direct, cluster)
	cluster.Crash(t)
	cluster.StartAgain(t)
	// Each call looks for its own commit, finds it, and waits for the standby.
	awaitCommits(t, cluster, len(calls))
	for name, c := range calls {
		if !c.done(t, direct) {
			t.Errorf("%s: not done", name)
		}
		select {
		case err := <-c.answered:
			t.Errorf("%s: answered, without the standby: %v", name, err)
		default:
		}
	}
	awaitStandby(t, cluster, "")
	for name, c := range calls {
		if err := <-c.answered; err != nil {
			t.Errorf("%s: with the standby: %v", name, err)
		}
	}
}

// call is an operation in progress.
type call struct {
	operation
	answered chan error
}

// callAll makes each kind of call at once, and returns when all of them wait for the
// standby.
func callAll(t *testing.T, ctx context.Context, s, direct *postgres.Store, cluster *postgrestest.Cluster) map[string]call {
	t.Helper()
	calls := make(map[string]call)
	for name, prepare := range operations() {
		calls[name] = call{prepare(t, direct, len(calls)), make(chan error, 1)}
	}
	awaitStandby(t, cluster, "nobody")
	for _, c := range calls {
		go func() { c.answered <- c.run(ctx, s) }()
	}
	awaitCommits(t, cluster, len(calls))
	return calls
}

// waitingCommits counts the commits that wait for a standby.
const waitingCommits = `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`

// awaitCommits waits until count commits wait for a standby.
func awaitCommits(t *testing.T, c *postgrestest.Cluster, count int) {
	t.Helper()
	postgrestest.Eventually(t, func() error {
		var waiting int
		if c.Get(t, &waiting, waitingCommits); waiting < count {
			return fmt.Errorf("%d commits wait", waiting)
		}
		return nil
	})
}

// cancelledCommit has an operator cancel the wait for the standby, which makes the
// server acknowledge a commit that the standby does not have.
func cancelledCommit(t *testing.T, cluster *postgrestest.Cluster, parameters ...string) {
	s := at(t, cluster, append(parameters, "schema", fmt.Sprint("cancelled", len(parameters)), "wait", patient)...)
	user, _ := someone(t, s, 0)
	awaitStandby(t, cluster, "nobody")
	answered := make(chan error, 1)
	go func() { answered <- s.IssueToken(t.Context(), tokenOf(user, "issued"), "", 0, nil) }()
	awaitCommit := func() {
		t.Helper()
		postgrestest.Eventually(t, func() error {
			select {
			case err := <-answered:
				t.Fatalf("answered, without the standby: %v", err)
			default:
			}
			var waiting int
			if cluster.Get(t, &waiting, waitingCommits); waiting != 1 {
				return fmt.Errorf("%d commits wait", waiting)
			}
			return nil
		})
	}
	for range 2 { // the commit, and the check after it
		awaitCommit()
		cluster.Exec(t, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
	}
	awaitCommit()
	awaitStandby(t, cluster, "")
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// contextEndsDuringCommit cancels the context of each call while its commit waits: the
// commit is not interrupted, and is acknowledged.
func contextEndsDuringCommit(t *testing.T, cluster *postgrestest.Cluster) {
	s := at(t, cluster, "schema", "context", "wait", patient)
	ctx, cancel := context.WithCancel(t.Context())
	calls := callAll(t, ctx, s, s, cluster)
	cancel()
	awaitStandby(t, cluster, "")
	for name, c := range calls {
		if err := <-c.answered; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !c.done(t, s) {
			t.Errorf("%s: not done", name)
		}
	}
}
