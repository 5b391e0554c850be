package hashing

import (
	"testing"
	"testing/synctest"

	"github.com/authcompat/authcompat/core"
)

// TestTheNewestMakesWay fills the queue from one network: who came last leaves for
// somebody from elsewhere, and whoever would then hold as much as the other is refused.
func TestTheNewestMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 3})
		flood := from(t.Context(), "192.0.2.1")
		runs, oldest, middle, newest := w.hash(flood, "runs", light), w.hash(flood, "oldest", light), w.hash(flood, "middle", light), w.hash(flood, "newest", light)
		other := from(t.Context(), "192.0.2.2")
		if err := *w.hash(other, "other", light); err != nil {
			t.Fatal(err)
		}
		if *runs != nil || *oldest != nil || *middle != nil || core.KindOf(*newest) != core.KindOverloaded {
			t.Errorf("runs: %v; oldest: %v; middle: %v; newest: %v; want the newest to leave", *runs, *oldest, *middle, *newest)
		}
		if err := *w.hash(other, "another", light); err != nil { // two of three remain
			t.Errorf("a second of the other network: %v", err)
		}
		if core.KindOf(*middle) != core.KindOverloaded {
			t.Errorf("middle: %v, want it to leave", *middle)
		}
		if err := *w.hash(other, "one more", light); core.KindOf(err) != core.KindOverloaded || *oldest != nil {
			t.Errorf("one more than the other network has: %v; oldest: %v", err, *oldest)
		}
		w.done.Wait()
	})
}

// TestHalvesStay has two networks with equal shares and one with less, which would have
// as much as either: it is refused.
func TestHalvesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 4})
		var errs []*error
		for _, address := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.3"} {
			errs = append(errs, w.hash(from(t.Context(), address), address, light))
		}
		if err := *w.hash(from(t.Context(), "192.0.2.3"), "second", light); core.KindOf(err) != core.KindOverloaded {
			t.Errorf("it is let in: %v", err)
		}
		w.done.Wait()
		for i, err := range errs {
			if *err != nil {
				t.Errorf("%d had to leave: %v", i, *err)
			}
		}
	})
}
