package hashing

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestOneCustomerIsOneNetwork has a customer log in from many networks of his own, each
// with one login at a time: whoever comes from elsewhere, or from another part of the same
// /48, is answered within a few hashes' time.
func TestOneCustomerIsOneNetwork(t *testing.T) {
	for name, world := range map[string]struct {
		networks int
		flood    string // with the number of a network
		victim   string
	}{
		"100 of a /56":                 {100, "2001:db8:0:%x::1", "203.0.113.5"},
		"250 of a /56":                 {250, "2001:db8:0:%x::1", "203.0.113.5"},
		"250 in 250 of a /48":          {250, "2001:db8:0:%x00::1", "203.0.113.5"},
		"another /56 of the /48":       {250, "2001:db8:0:%x::1", "2001:db8:0:100::1"},
		"250 addresses of an IPv4 /24": {250, "198.51.100.%d", "203.0.113.5"},
		"250 /48 of a /32":             {250, "2001:db8:%x::1", "2001:db9::1"},
		"another /48 of the /32":       {250, "2001:db8:0:%x::1", "2001:db8:1::1"},
		"250 /24 of an IPv4 /16":       {250, "198.51.%d.1", "203.0.113.5"},
		"another /24 of the IPv4 /16":  {250, "198.51.100.%d", "198.51.101.1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				light, _ := costs(t)
				w := newPoolWorld(t, PoolOptions{Threads: 1})
				login := func(address string) error {
					ctx, leave, err := w.Acquire(from(t.Context(), address), len("password"))
					if err != nil {
						return err
					}
					defer leave()
					return w.run(ctx, light, func() { time.Sleep(time.Second) })
				}
				end := time.Now().Add(time.Minute)
				for i := range world.networks {
					w.done.Go(func() {
						for time.Now().Before(end) {
							if login(fmt.Sprintf(world.flood, i)) != nil {
								time.Sleep(200 * time.Millisecond)
							}
						}
					})
				}
				time.Sleep(10*time.Second + time.Millisecond)
				for i := range 8 {
					began := time.Now()
					if err := login(world.victim); err != nil || time.Since(began) > 3*time.Second {
						t.Errorf("login %d, after %v: %v", i, time.Since(began), err)
					}
					time.Sleep(250 * time.Millisecond)
				}
				w.done.Wait()
				checkEmpty(t, w)
			})
		})
	}
}

// TestLateNoticeOfEviction has callers who are admitted and neither wait nor hash, from
// many networks of one customer: they make way too, and fail when they would wait.
func TestLateNoticeOfEviction(t *testing.T) {
	light, _ := costs(t)
	w := newPoolWorld(t, PoolOptions{Threads: 1, Queue: 7})
	var flood []func() error
	for i := range 16 { // 8 are too many
		ctx, leave, err := w.Acquire(from(t.Context(), fmt.Sprintf("2001:db8:0:%x::1", i)), len("password"))
		if refused := core.KindOf(err) == core.KindOverloaded; refused != (i >= 8) {
			t.Fatalf("%d: %v", i, err)
		}
		if err == nil {
			flood = append(flood, func() error {
				defer leave()
				return w.run(ctx, light, func() {})
			})
		}
	}
	for i := range 3 {
		_, leave, err := w.Acquire(from(t.Context(), fmt.Sprintf("2001:db8:%x::1", i+1)), len("right"))
		if err != nil {
			t.Errorf("from elsewhere, %d: %v", i, err)
			continue
		}
		defer leave()
	}
	evicted := 0
	for _, login := range flood {
		if err := login(); core.KindOf(err) == core.KindOverloaded {
			evicted++
		} else if err != nil {
			t.Error(err)
		}
	}
	if evicted != 3 {
		t.Errorf("%d had to leave for 3", evicted)
	}
	if c := w.Counts(); c.Rejected != 8+3 {
		t.Errorf("%d are counted as rejected, want 11", c.Rejected)
	}
}

// TestLargePasswordsOfManyNetworks fills the memory for passwords from many networks of
// one customer: several make way for a larger one from elsewhere.
func TestLargePasswordsOfManyNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1, QueuedMemory: 1000})
		var flood []*error
		for i := range 10 {
			flood = append(flood, w.hash(from(t.Context(), fmt.Sprintf("2001:db8:0:%x::1", i)), strings.Repeat("x", 100), light))
		}
		if err := *w.hash(from(t.Context(), "203.0.113.5"), strings.Repeat("y", 250), light); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
		evicted := 0
		for _, err := range flood {
			if *err != nil {
				evicted++
			}
		}
		if evicted != 3 {
			t.Errorf("%d had to leave, want 3", evicted)
		}
		w.done.Wait()
		checkEmpty(t, w)
	})
}

// TestServedInTurnAtEachLevel checks the order in which networks within networks are
// served.
func TestServedInTurnAtEachLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light, _ := costs(t)
		w := newPoolWorld(t, PoolOptions{Threads: 1})
		for _, login := range []struct{ name, address string }{
			{"runs", "192.0.2.1"},
			{"a1", "2001:db8:0:1::1"}, {"a2", "2001:db8:0:1::2"}, {"b1", "2001:db8:0:2::1"}, {"c1", "2001:db8:0:100::1"},
			{"d1", "2001:db8:1::1"}, {"d2", "2001:db8:1::1"}, {"d3", "2001:db8:1::1"},
		} {
			w.hash(from(t.Context(), login.address), login.name, light)
		}
		w.done.Wait()
		if got, want := strings.Join(w.order, " "), "runs a1 d1 c1 d2 b1 d3 a2"; got != want {
			t.Errorf("served %s, want %s", got, want)
		}
	})
}
