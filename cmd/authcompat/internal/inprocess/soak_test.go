package inprocess

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// The requests of a batch, which is what a run can go on from: lanes whose requests go one
// after the other to the same API on SQLite and on PostgreSQL, on our tables and on Django's,
// and lanes in which clients of all APIs share one store.
const (
	onOurTables    = 400 // for each API
	onDjangoTables = 200 // for each API
	shared         = 100 // for each of the clients of a store
	sharedClients  = 10  // at each of two stores
	batch          = 5*(onOurTables+onDjangoTables) + 2*sharedClients*shared
)

// TestSoak sends generated requests, hostile ones among them, to all built-in profiles on all
// stores. No answer may be a 5xx, no handler may panic, answers on SQLite and on PostgreSQL
// must be the same bytes, and neither memory nor goroutines may grow.
//
//	AUTHCOMPAT_SOAK        how many requests (5000)
//	AUTHCOMPAT_SOAK_SEED   of the requests (1)
//	AUTHCOMPAT_SOAK_FROM   the number of requests that are left out at the beginning
//
// A batch depends on nothing but the seed and its number, save that the ids of users go on.
func TestSoak(t *testing.T) {
	requests, seed, from := number(t, "AUTHCOMPAT_SOAK", batch), number(t, "AUTHCOMPAT_SOAK_SEED", 1), number(t, "AUTHCOMPAT_SOAK_FROM", 0)
	s := newSoak(t, uint64(seed))
	began, reported := time.Now(), time.Now()
	first, last := from/batch, (from+requests+batch-1)/batch
	for n := first; n < last; n++ {
		s.run(t, n)
		if t.Failed() {
			t.Fatalf("to repeat this batch: make soak SOAK=%d SEED=%d FROM=%d", batch, seed, n*batch)
		}
		if time.Since(reported) > 10*time.Second || n == last-1 {
			reported = time.Now()
			done := (n + 1 - first) * batch
			t.Logf("%d requests, %.0f a second, %d answers compared, %v; heap %.1f MB, %d goroutines; SEED=%d FROM=%d goes on",
				done, float64(done)/time.Since(began).Seconds(), s.compared, s.statuses, float64(s.heap[len(s.heap)-1])/1e6, s.goroutines[len(s.goroutines)-1], seed, (n+1)*batch)
		}
	}
	flat(t, "bytes of heap", s.heap, 1<<20)
	flat(t, "goroutines", s.goroutines, 10)
}

// number reads a setting.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s: want a number", name)
	}
	return n
}

// flat requires that samples have not grown.
func flat(t *testing.T, what string, samples []uint64, allowance uint64) {
	t.Helper()
	before, after, grown := growth(samples, allowance)
	t.Logf("%s: at most %d in the second third, %d in the last", what, before, after)
	if grown {
		t.Errorf("%s grow", what)
	}
}

// growth returns the largest samples of the second and of the last third, and whether the
// latter exceeds the former by more than a tenth and the allowance. Of fewer than nine
// samples, nothing can be said.
func growth(samples []uint64, allowance uint64) (before, after uint64, grown bool) {
	third := len(samples) / 3
	if third < 3 {
		return 0, 0, false
	}
	before, after = slices.Max(samples[third:2*third]), slices.Max(samples[2*third:])
	return before, after, after > before+before/10+allowance
}

func TestGrowth(t *testing.T) {
	for name, test := range map[string]struct {
		samples []uint64
		want    bool
	}{
		"a warm start":    {[]uint64{10, 400, 900, 1000, 900, 1000, 1100, 900, 1110}, false},
		"a leak":          {[]uint64{100, 200, 300, 400, 500, 600, 700, 800, 900}, true},
		"too few samples": {[]uint64{1, 2, 3, 400, 5000}, false},
	} {
		if before, after, got := growth(test.samples, 10); got != test.want {
			t.Errorf("%s: %d, then %d: %v", name, before, after, got)
		}
	}
}

// A soak is a run: its servers and what it has seen.
type soak struct {
	seed   uint64
	lanes  []*lane
	shared []*sharedLane

	mu               sync.Mutex
	statuses         statusCounts
	compared         int
	heap, goroutines []uint64
}

// statusCounts are the numbers of responses by their status.
type statusCounts map[int]int

// String lists the counts by status.
func (c statusCounts) String() string {
	text := ""
	for status := 100; status < 600; status++ {
		if c[status] > 0 {
			text += fmt.Sprintf("%d×%d ", c[status], status)
		}
	}
	return text + "in all"
}

// newSoak opens the stores and starts the servers.
func newSoak(t *testing.T, seed uint64) *soak {
	t.Helper()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	folder := memory(t)
	s := &soak{seed: seed, statuses: statusCounts{}}
	for _, api := range differential.Builtin() {
		s.lanes = append(s.lanes, newLane(t, api, onOurTables, openOurs(t, "sqlite:"+folder+"/x"), openOurs(t, cluster.DSN())))
	}
	for _, api := range differential.Builtin() {
		file := fmt.Sprintf("%s/%s.sqlite3", folder, api.Name)
		s.lanes = append(s.lanes, newLane(t, api, onDjangoTables, openDjango(t, "sqlite", file, api.Name), openDjango(t, "postgres", cluster.DSN(), api.Name)))
	}
	s.shared = []*sharedLane{newSharedLane(t, openOurs(t, "sqlite:"+folder+"/x")), newSharedLane(t, openOurs(t, cluster.DSN()))}
	return s
}

// memory returns a folder in memory, if the system has one: what a disk costs to sync is
// not what a soak is about.
func memory(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "authcompat-soak-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// run sends the requests of a batch, and leaves the stores empty.
func (s *soak) run(t *testing.T, n int) {
	var running sync.WaitGroup
	for i, l := range s.lanes {
		running.Go(func() {
			report, err := l.run(t.Context(), s.seedOf(n, i), n)
			s.note(t, true, err, report)
		})
	}
	running.Wait()
	for i, l := range s.shared {
		running.Go(func() {
			reports, err := l.run(t.Context(), s.seedOf(n, len(s.lanes)+i), n)
			s.note(t, false, err, reports...)
		})
	}
	running.Wait()
	for _, l := range s.lanes {
		running.Go(func() { l.empty(t) })
	}
	for _, l := range s.shared {
		running.Go(func() { l.server.empty(t) })
	}
	running.Wait()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap = append(s.heap, m.HeapAlloc)
	s.goroutines = append(s.goroutines, uint64(runtime.NumGoroutine()))
}

// seedOf is the seed of a lane in a batch.
func (s *soak) seedOf(batch, lane int) uint64 {
	return s.seed*0x9e3779b97f4a7c15 + uint64(batch)<<8 + uint64(lane)
}

// note adds what lanes have seen to the run.
func (s *soak) note(t *testing.T, compared bool, err error, reports ...*differential.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		t.Error(err)
	}
	for _, r := range reports {
		for status, n := range r.Statuses {
			s.statuses[status] += n
		}
		if compared {
			s.compared += r.Requests
		}
		for _, d := range r.Differences {
			t.Errorf("%s, SQLite (reference) and PostgreSQL (subject) differ: %s", r.API, d)
		}
	}
}
