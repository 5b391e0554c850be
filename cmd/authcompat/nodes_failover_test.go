package main

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestFailover kills primaries of a replicated PostgreSQL under load: no
// acknowledged write is lost, and no logged-out token becomes valid again. It
// kills once, or 20 times, and reports how long writes were impossible.
//
// The two database servers replicate synchronously. The test does what a cluster
// manager does: it polls the primary every 100 ms, considers it dead after three
// failures, promotes the standby, and brings the old primary back as a standby with
// a fresh copy. Only when that one has caught up do commits wait for it again, and
// the next kill may follow. At every other kill the standby lags: commits that the
// primary has made by then, but not acknowledged, are lost with it.
func TestFailover(t *testing.T) {
	t.Parallel()
	o := postgrestest.Options{Durable: true, Settings: map[string]string{"wal_level": "replica"}}
	primary := postgrestest.Start(t, o)
	standby := postgrestest.StartStandby(t, primary, "second", o)
	awaitStandby(t, primary)
	dsn := fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=read-write",
		primary.Port(), standby.Port())
	l := newLedger(startNodes(t, dsn), 8)

	kills := count(1, 20)
	var gaps []time.Duration
	for kill := range kills {
		time.Sleep(time.Second) // under load
		if kill%2 == 0 {
			// The primary gets commits that the standby never receives.
			standby.Freeze(t)
			time.Sleep(50 * time.Millisecond)
		}
		killed := time.Now()
		primary.Kill(t)
		if kill%2 == 0 {
			standby.Thaw(t)
		}
		detectDeath(t, primary)
		standby.Promote(t)
		promoted := time.Now()
		time.Sleep(time.Second) // under load
		gaps = append(gaps, l.gap(killed, promoted.Add(time.Second)))
		primary.Follow(t, standby, "second")
		primary, standby = standby, primary
		awaitStandby(t, primary)
	}
	l.end()
	slices.Sort(gaps)
	t.Logf("%d kills; nothing could be written for %v (median), %v (worst)", kills, gaps[len(gaps)/2].Round(time.Millisecond), gaps[len(gaps)-1].Round(time.Millisecond))
	// After a short outage, every call may have found the new primary in time.
	if gaps[0] < 100*time.Millisecond {
		t.Errorf("nobody felt a kill, or nothing for more than %v: that proves nothing", gaps[0])
	}
	l.verify(t)
}

// detectDeath waits until the server has failed to answer three times.
func detectDeath(t *testing.T, c *postgrestest.Cluster) {
	t.Helper()
	db, err := sql.Open("postgres", c.DSN()+"&connect_timeout=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for failed := 0; failed < 3; {
		if db.Ping() != nil {
			failed++
		}
		time.Sleep(100 * time.Millisecond) // the manager's interval
	}
}

// awaitStandby makes the primary's commits wait for its standby from now on, and
// returns when the standby has everything that was committed before.
func awaitStandby(t *testing.T, primary *postgrestest.Cluster) {
	t.Helper()
	primary.Exec(t, `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`)
	var reached string
	for ready := false; !ready; {
		primary.Get(t, &ready, `SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND current_setting('synchronous_standby_names') = '*'`)
	}
	primary.Get(t, &reached, `SELECT pg_current_wal_flush_lsn()`)
	for ready := false; !ready; {
		primary.Get(t, &ready, `SELECT count(*) = 1 FROM pg_stat_replication WHERE flush_lsn >= $1::pg_lsn`, reached)
	}
}
