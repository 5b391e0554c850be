package hashing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password"
)

// costs returns a cost of one thread, and one of four threads and 8 MiB.
func costs(t *testing.T) (light, heavy password.Cost) {
	t.Helper()
	for _, c := range []struct {
		encoded string
		into    *password.Cost
	}{
		{"pbkdf2_sha256$1$salt$xxx", &light},
		{"argon2$argon2id$v=19$m=8192,t=1,p=4$c2FsdHNhbHQ$aGFzaGhhc2g", &heavy},
	} {
		cost, err := password.CostOf(c.encoded)
		if err != nil {
			t.Fatal(err)
		}
		*c.into = cost
	}
	return light, heavy
}

// poolWorld is a pool whose hashes take a second of the synctest bubble's time.
type poolWorld struct {
	*Pool
	mu      sync.Mutex
	running int
	most    int
	order   []string
	done    sync.WaitGroup
}

func newPoolWorld(t *testing.T, o PoolOptions) *poolWorld {
	t.Helper()
	p, err := NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	return &poolWorld{Pool: NewPool(p, o)}
}

// hash starts one hash and returns its error, if it has failed by the time the bubble is idle.
func (w *poolWorld) hash(ctx context.Context, name string, cost password.Cost) *error {
	err := new(error)
	w.done.Go(func() {
		ctx, leave, refusal := w.Acquire(ctx, len(name))
		if refusal != nil {
			*err = refusal
			return
		}
		defer leave()
		failed := w.run(ctx, cost, func() {
			w.mu.Lock()
			w.running++
			w.most = max(w.most, w.running)
			w.order = append(w.order, name)
			w.mu.Unlock()
			time.Sleep(time.Second)
			w.mu.Lock()
			w.running--
			w.mu.Unlock()
		})
		if failed != nil { // a successful caller may read err without waiting for done
			*err = failed
		}
	})
	synctest.Wait()
	return err
}

func TestLaneRunsFewAtATimeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 2, Queue: 10})
		var want []string
		for i := range 8 {
			want = append(want, fmt.Sprint(i))
			w.hash(t.Context(), want[i], light)
		}
		w.done.Wait()
		if w.most != 2 {
			t.Errorf("%d at a time, want 2", w.most)
		}
		if slices.Sort(w.order); !slices.Equal(w.order, want) {
			t.Errorf("ran %v", w.order)
		}
		if c := w.Counts(); c != (PoolCounts{Done: 8}) {
			t.Errorf("counts %+v", c)
		}
	})
}

func TestLaneRefusesAtOnceWhenTheQueueIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 2})
		if err := w.run(t.Context(), light, func() { time.Sleep(3 * time.Second) }); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			w.hash(t.Context(), fmt.Sprint(i), light)
		}
		began := time.Now()
		err := *w.hash(t.Context(), "late", light)
		if core.KindOf(err) != core.KindOverloaded || time.Since(began) != 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if wait := core.RetryAfter(err); wait != 9*time.Second {
			t.Errorf("retry after %v, want the three seconds that a hash took for each of three", wait)
		}
		w.done.Wait()
		if err := *w.hash(t.Context(), "again", light); err != nil {
			t.Errorf("with the queue empty: %v", err)
		}
		w.done.Wait()
	})
}

func TestLaneBoundsTheMemoryThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, QueuedMemory: 10})
		w.hash(t.Context(), strings.Repeat("r", 3), light)
		w.hash(t.Context(), strings.Repeat("w", 5), light)
		if err := *w.hash(t.Context(), "xxx", light); core.KindOf(err) != core.KindOverloaded {
			t.Errorf("11 bytes: %v", err)
		}
		if err := *w.hash(t.Context(), "xx", light); err != nil {
			t.Errorf("10 bytes: %v", err)
		}
		w.done.Wait()
	})
}

func TestLaneWeighsThreadsAndMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, heavy := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 5})
		w.hash(t.Context(), "4", heavy)
		w.hash(t.Context(), "1", light)
		w.hash(t.Context(), "4 more", heavy)
		w.hash(t.Context(), "1 behind", light) // fits, but does not overtake the one before it
		w.mu.Lock()
		if want := []string{"4", "1"}; !slices.Equal(w.order, want) {
			t.Errorf("run %q, want %q", w.order, want)
		}
		w.mu.Unlock()
		w.done.Wait()

		w = newPoolWorld(t, PoolOptions{Threads: 100, Memory: 2 * heavy.Memory()})
		for i := range 4 {
			w.hash(t.Context(), fmt.Sprint(i), heavy)
		}
		w.done.Wait()
		if w.most != 2 {
			t.Errorf("%d at a time, want the 2 that fit into the memory", w.most)
		}

		// A hash larger than the pool runs alone.
		w = newPoolWorld(t, PoolOptions{Threads: 1, Memory: 1})
		if err := *w.hash(t.Context(), "huge", heavy); err != nil {
			t.Error(err)
		}
		w.done.Wait()
	})
}

func TestLaneLetsGoOfThoseWhoAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 1})
		w.hash(t.Context(), "runs", light)
		ctx, leave := context.WithCancel(t.Context())
		gone := w.hash(ctx, "gone", light)
		leave()
		synctest.Wait()
		if !errors.Is(*gone, context.Canceled) {
			t.Errorf("error %v", *gone)
		}
		if err := *w.hash(t.Context(), "next", light); err != nil {
			t.Errorf("the place is still taken: %v", err)
		}
		w.done.Wait()
		if want := []string{"runs", "next"}; !slices.Equal(w.order, want) {
			t.Errorf("ran %q, want %q", w.order, want)
		}
		if c := w.Counts(); c != (PoolCounts{Done: 2, Canceled: 1}) {
			t.Errorf("counts %+v", c)
		}
	})
}

func TestLaneWaitsAsLongAsAHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPoolWorld(t, PoolOptions{Threads: 1})
		cost := w.hasher.cost("ghost", "")
		if err := w.run(t.Context(), cost, func() { time.Sleep(70 * time.Millisecond) }); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := w.SimulateLatency(t.Context(), "ghost", "", 5*time.Millisecond); err != nil || time.Since(began) != 75*time.Millisecond {
			t.Errorf("waited %v, %v", time.Since(began), err)
		}
	})
}

func TestDecoysFollowTheMix(t *testing.T) {
	key := make([]byte, core.DatabaseKeySize)
	mix := []core.PasswordFormatCount{
		{Example: "pbkdf2_sha256$1000$salt$xxx", Accounts: 600},
		{Example: "bcrypt$$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234", Accounts: 300},
		{Example: "md5$salt$0123", Accounts: 100},
		{Example: "!unusable", Accounts: 5000},
	}
	count := func(d *DummyCosts) map[password.Format]int {
		n := make(map[password.Format]int)
		for i := range 10_000 {
			c, ok := d.cost(fmt.Sprint("name ", i))
			if !ok {
				t.Fatal("no cost")
			}
			n[c.Format()]++
		}
		return n
	}
	d := NewDummyCosts(key, mix)
	n := count(d)
	for format, want := range map[password.Format]int{password.PBKDF2SHA256: 6000, password.Bcrypt: 3000, password.MD5: 1000} {
		if got := n[format]; got < want-200 || got > want+200 {
			t.Errorf("%s: %d of 10 000, want about %d", format, got, want)
		}
	}
	// One more account changes the cost of hardly any name.
	mix[2].Accounts++
	moved := 0
	for i := range 10_000 {
		name := fmt.Sprint("name ", i)
		before, _ := d.cost(name)
		if after, _ := NewDummyCosts(key, mix).cost(name); after != before {
			moved++
		}
	}
	if moved > 40 {
		t.Errorf("%d of 10 000 names changed their cost with one more account", moved)
	}
	if _, ok := NewDummyCosts(key, nil).cost("name"); ok {
		t.Error("a cost without accounts")
	}
}
