package hashing

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSimulatedLatencyVaries checks that a simulated hash takes as long as one that was
// computed, and not what they take on average.
func TestSimulatedLatencyVaries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 10})
		cost := w.hasher.cost("ghost", "")
		for _, took := range []time.Duration{50 * time.Millisecond, 70 * time.Millisecond} {
			if err := w.run(t.Context(), cost, func() { time.Sleep(took) }); err != nil {
				t.Fatal(err)
			}
		}
		times := make(map[time.Duration]int)
		for range 100 {
			began := time.Now()
			if err := w.SimulateLatency(t.Context(), "ghost", "", 0); err != nil {
				t.Fatal(err)
			}
			times[time.Since(began)]++
		}
		if len(times) != 2 || times[50*time.Millisecond] == 0 || times[70*time.Millisecond] == 0 {
			t.Errorf("it took %v", times)
		}
	})
}

// TestSimulatedLatencyFollowsTheQueue checks that a simulated hash waits as long as a real
// one that came in its place would: for those before it while there is a flood, and for
// nobody once that is over. It delays none behind it.
func TestSimulatedLatencyFollowsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 10})
		cost := w.hasher.cost("ghost", "")
		flood := from(t.Context(), "192.0.2.1")
		simulate := func() time.Duration {
			began := time.Now()
			if err := w.SimulateLatency(flood, "ghost", "", 0); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		for range 3 {
			w.hash(flood, "before it", cost)
		}
		var took time.Duration
		w.done.Go(func() { took = simulate() })
		synctest.Wait()
		began := time.Now()
		w.hash(flood, "behind it", cost)
		w.done.Wait()
		if took != 4*time.Second || time.Since(began) != 4*time.Second {
			t.Errorf("with three before it, it took %v, and one behind it %v; want 4 s each", took, time.Since(began))
		}
		for range 20 {
			if took := simulate(); took != time.Second {
				t.Fatalf("after the flood it took %v", took)
			}
		}
		checkEmpty(t, w)
	})
}
