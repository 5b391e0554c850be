package hashing

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
)

// from returns the context of a client's requests.
func from(ctx context.Context, address string) context.Context {
	c := clients.Client{Address: netip.MustParseAddr(address)}
	return clients.With(ctx, func() clients.Client { return c })
}

// checkEmpty checks that nobody is left in a pool.
func checkEmpty(t *testing.T, w *poolWorld) {
	t.Helper()
	if c := w.Counts(); c.Waiting != 0 || c.Running != 0 || w.queue.all() != (load{}) || w.queue.admitted.Len() != 0 || w.queue.tickets.Len() != 0 {
		t.Errorf("the pool is not empty in the end: %+v, %+v", c, w.queue.all())
	}
}

// TestNetworksTakeTurns lets one address fill the pool, from many ports or from all of an
// IPv6 /64: whoever comes from elsewhere is admitted, and waits for few hashes.
func TestNetworksTakeTurns(t *testing.T) {
	for name, flood := range map[string]func(i int) string{
		"IPv4": func(int) string { return "192.0.2.1" },
		"IPv6": func(i int) string { return fmt.Sprintf("2001:db8::%x", i+1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				light, _ := costs(t)
				w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 32})
				var flooding []*error
				for i := range 45 {
					flooding = append(flooding, w.hash(from(t.Context(), flood(i)), fmt.Sprint(i), light))
				}
				if full := w.Counts(); full.Waiting != 32 || full.Rejected != 12 {
					t.Errorf("one network alone: %+v, want all of the queue for it", full)
				}
				for i := range 5 {
					began := time.Now()
					done := make(chan struct{})
					var err error
					go func() {
						defer close(done)
						ctx := from(t.Context(), fmt.Sprintf("198.51.100.%d", i))
						ctx, leave, refusal := w.Acquire(ctx, len("right"))
						if refusal != nil {
							err = refusal
							return
						}
						defer leave()
						err = w.run(ctx, light, func() { time.Sleep(time.Second) })
					}()
					<-done
					if took := time.Since(began); err != nil || took > 3*time.Second {
						t.Errorf("%d: from elsewhere, after %v: %v", i, took, err)
					}
					w.hash(from(t.Context(), flood(i)), "again", light) // the flood goes on
				}
				w.done.Wait()
				evicted := 0
				for _, err := range flooding {
					if core.KindOf(*err) == core.KindOverloaded {
						evicted++
					}
				}
				if evicted < 13 {
					t.Errorf("%d of the flood were refused", evicted)
				}
				checkEmpty(t, w)
			})
		})
	}
}

// TestEqualSharesStay checks that nobody is made to leave for a network that would hold
// as much.
func TestEqualSharesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 3})
		var errs []*error
		for i := range 4 {
			errs = append(errs, w.hash(from(t.Context(), fmt.Sprintf("192.0.2.%d", i%2)), fmt.Sprint(i), light))
		}
		for i := range 2 {
			if err := *w.hash(from(t.Context(), fmt.Sprintf("192.0.2.%d", i)), "more", light); core.KindOf(err) != core.KindOverloaded {
				t.Errorf("one more of two that share the pool: %v", err)
			}
		}
		if err := *w.hash(from(t.Context(), "192.0.2.9"), "third", light); err != nil {
			t.Errorf("a third network: %v", err)
		}
		w.done.Wait()
		refused := 0
		for _, err := range errs {
			if *err != nil {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("%d had to leave for it, want 1", refused)
		}
	})
}

// TestLargePasswordsMakeWay lets one network fill the memory for passwords.
func TestLargePasswordsMakeWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 32, QueuedMemory: 1000})
		for range 4 {
			w.hash(from(t.Context(), "192.0.2.1"), strings.Repeat("x", 250), light)
		}
		if err := *w.hash(from(t.Context(), "192.0.2.1"), "small", light); core.KindOf(err) != core.KindOverloaded {
			t.Errorf("more of the same network: %v", err)
		}
		if err := *w.hash(from(t.Context(), "192.0.2.2"), strings.Repeat("y", 300), light); err != nil {
			t.Errorf("of another: %v", err)
		}
		w.done.Wait()
		checkEmpty(t, w)
	})
}

// TestEvictsNoMoreThanItNeeds lets several come at once, before those who have to leave
// for them have noticed, and one who would not have room all the same.
func TestEvictsNoMoreThanItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 64, QueuedMemory: 1000})
		var flooding []*error
		for range 65 {
			flooding = append(flooding, w.hash(from(t.Context(), "192.0.2.1"), "0123456789", light))
		}
		const newcomers = 10
		var leave []func()
		for i := range newcomers {
			_, release, err := w.Acquire(from(t.Context(), fmt.Sprintf("198.51.100.%d", i)), len("right"))
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, release)
		}
		if _, _, err := w.Acquire(from(t.Context(), "198.51.100.200"), 990); core.KindOf(err) != core.KindOverloaded {
			t.Errorf("a password for which nobody could make room: %v", err)
		}
		synctest.Wait()
		refused := 0
		for _, err := range flooding {
			if *err != nil {
				refused++
			}
		}
		if admitted := w.queue.all().admitted.number; refused != newcomers || admitted != 65 {
			t.Errorf("%d had to leave for %d, %d are admitted", refused, newcomers, admitted)
		}
		for _, release := range leave {
			release()
			release() // once more changes nothing
		}
		w.done.Wait()
		checkEmpty(t, w)
	})
}

// TestShareOfAFullPool checks that a network whose callers are admitted, and neither wait
// nor hash (they may write, or wait for other logins), keeps out nobody from elsewhere.
func TestShareOfAFullPool(t *testing.T) {
	w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 3})
	acquire := func(address string) error {
		_, _, err := w.Acquire(from(t.Context(), address), len("right"))
		return err
	}
	for i, test := range []struct {
		address string
		refused bool
	}{
		{"192.0.2.1", false}, {"192.0.2.1", false}, {"192.0.2.1", false}, {"192.0.2.1", false}, {"192.0.2.1", true},
		{"198.51.100.1", false}, {"198.51.100.1", false}, {"198.51.100.1", true}, // a half
		{"198.52.100.2", false}, {"198.52.100.2", true}, // a third
		{"198.53.100.3", false}, // and none where all have the same
		{"198.54.100.4", true},
	} {
		err := acquire(test.address)
		if refused := core.KindOf(err) == core.KindOverloaded; refused != test.refused || err != nil && !refused {
			t.Errorf("%d, from %s: %v", i, test.address, err)
		}
	}
}

// TestPlacesAndBytesAreFreedApart lets a network hold all memory, and another one most places:
// each makes way with what it holds most of, and no more than has to.
func TestPlacesAndBytesAreFreedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const large, all = 16, 33
		w := newPoolWorld(t, PoolOptions{Threads: 1})
		acquire := func(address string, bytes int) error {
			_, _, err := w.Acquire(from(t.Context(), address), bytes)
			return err
		}
		for range large {
			if err := acquire("192.0.2.1", queuedMemory/large-3); err != nil {
				t.Fatal(err)
			}
		}
		for range all - large {
			if err := acquire("198.51.100.1", 2); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct{ bytes, leave int }{{440, 1}, {10, 1}, {40, 1}} {
			before := w.Counts().Rejected
			if err := acquire("203.0.113.5", test.bytes); err != nil {
				t.Errorf("%d bytes: %v", test.bytes, err)
			}
			if left := w.Counts().Rejected - before; int(left) != test.leave {
				t.Errorf("%d bytes: %d made way, want %d", test.bytes, left, test.leave)
			}
		}
	})
}
