package main

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestNodesRestart restarts the database under load, cleanly and abruptly: the only
// failure is 503, and it stops within a second of the database's return. It restarts
// twice, or every 5 seconds for a minute. The database stays away until a client felt it:
// a quick restart is over before a server has given up trying.
func TestNodesRestart(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{Durable: true})
	l := newLedger(startNodes(t, cluster.DSN()), 8)
	restarts, pause := count(2, 12), time.Duration(count(1, 5))*time.Second
	var returned []time.Time
	var away time.Duration
	for i := range restarts {
		time.Sleep(pause) // under load
		stopped := time.Now()
		if i%2 == 0 {
			cluster.Stop(t)
		} else {
			cluster.Crash(t)
		}
		for !l.failedSince(stopped) && time.Since(stopped) < 10*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		if !l.failedSince(stopped) {
			t.Error("nobody felt a restart: that proves nothing")
		}
		cluster.StartAgain(t)
		returned = append(returned, time.Now())
		away += time.Since(stopped)
	}
	time.Sleep(pause)
	l.end()
	returned = append(returned, time.Now())
	var worst time.Duration
	for i := range restarts {
		// Until the next restart, one pause later.
		worst = max(worst, l.lastFailure(returned[i], returned[i].Add(pause)))
	}
	t.Logf("%d restarts, %v away in all; the last 503 came %v after a return", restarts, away.Round(time.Millisecond), worst.Round(time.Millisecond))
	if worst > time.Second {
		t.Error("errors don't stop within a second")
	}
	l.verify(t)
}
