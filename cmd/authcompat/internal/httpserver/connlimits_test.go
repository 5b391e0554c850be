package httpserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// named is a connection that says when it is closed.
type named struct {
	name string
	slot *connSlot
	mu   *sync.Mutex
	gone *[]string
}

func (c *named) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.gone = append(*c.gone, c.name)
	c.slot.release()
	return nil
}

// limitedWorld opens connections within limits.
type limitedWorld struct {
	*connLimits
	mu   sync.Mutex
	gone []string
}

func newLimitedWorld(all, each int) *limitedWorld {
	w := &limitedWorld{}
	trusted := netip.MustParseAddr("10.0.0.1")
	w.connLimits = newConnLimits(newFileShare(slog.New(slog.DiscardHandler)), all, each, func(a netip.Addr) bool { return a == trusted })
	return w
}

// dial opens a connection from an address; nil: it is refused.
func (w *limitedWorld) dial(name, address string) *named {
	c := &named{name: name, mu: &w.mu, gone: &w.gone}
	c.slot = w.slot(c, &net.TCPAddr{IP: net.ParseIP(address), Port: 1})
	if w.acquire(c.slot) != nil {
		return nil
	}
	return c
}

// slots returns the slots of all connections that are open.
func (w *limitedWorld) slots() (all []*connSlot) {
	for _, p := range w.places {
		all = append(all, p.slots...)
	}
	return all
}

func TestOldestIdleConnectionMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimitedWorld(3, 3)
		busy := w.dial("busy", "192.0.2.1")
		busy.slot.setIdle(false)
		once := w.dial("once busy", "192.3.2.1")
		once.slot.setIdle(false)
		w.dial("never used", "198.51.100.2")
		time.Sleep(firstRequest)
		once.slot.setIdle(true) // for less long than the one that was never used
		for i, c := range []struct{ name, address string }{{"first", "192.4.2.3"}, {"second", "192.5.2.6"}} {
			w.dial(c.name, c.address).slot.setIdle(false)
			if got, want := len(w.gone), i+1; got != want {
				t.Errorf("%d are closed when %s is open, want %d", got, c.name, want)
			}
		}
		if want := []string{"never used", "once busy"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
		// All are busy, each of another network: one more waits until another is closed.
		opened := make(chan *named)
		go func() { opened <- w.dial("late", "192.6.2.4") }()
		synctest.Wait()
		select {
		case <-opened:
			t.Error("one more than there may be")
		default:
		}
		busy.Close()
		if c := <-opened; c == nil {
			t.Error("refused after another was closed")
		}
		if w.open != 3 {
			t.Errorf("%d are open", w.open)
		}
		// So does one that waits while a busy one becomes idle.
		go func() { opened <- w.dial("later", "192.7.2.5") }()
		synctest.Wait()
		for _, s := range w.slots() {
			s.setIdle(false)
		}
		for _, s := range w.slots() {
			s.setIdle(true)
			break
		}
		if c := <-opened; c == nil || w.open != 3 {
			t.Errorf("%d are open after one became idle", w.open)
		}
	})
}

func TestConnectionsOfANetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimitedWorld(100, 2)
		for _, c := range []struct{ name, address string }{{"a", "2001:db8::1"}, {"b", "2001:db8::2"}} {
			w.dial(c.name, c.address).slot.setIdle(false)
		}
		if c := w.dial("c", "2001:db8::3"); c != nil {
			t.Error("a third of the same /64 is open")
		}
		idle := w.dial("elsewhere", "192.0.2.1")
		w.dial("elsewhere too", "192.0.2.1").slot.setIdle(false)
		again := w.dial("elsewhere again", "192.0.2.1")
		synctest.Wait()
		if again == nil || !slices.Equal(w.gone, []string{"elsewhere"}) {
			t.Errorf("closed %q, want the idle one of the same address", w.gone)
		}
		idle.Close() // once more changes nothing
		again.slot.setIdle(false)
		if c := w.dial("one too many", "192.0.2.1"); c != nil {
			t.Error("a third of the same address is open: one that was closed twice counts twice")
		}
		for range 10 {
			w.dial("proxy", "10.0.0.1").slot.setIdle(false)
		}
		if w.open != 14 {
			t.Errorf("%d are open: a trusted proxy is limited", w.open)
		}
		w.close()
		if c := w.dial("after", "192.0.2.9"); c != nil {
			t.Error("one more after the listener closed")
		}
	})
}

// TestLargestNetworkMakesWay checks that requests that are never sent to their end keep out
// nobody from elsewhere: the network that has most makes way, with the longest one.
func TestLargestNetworkMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimitedWorld(5, 5)
		for _, c := range []struct{ name, address string }{
			{"slow 1", "192.0.2.1"}, {"other", "192.0.2.2"}, {"slow 2", "192.0.2.1"}, {"slow 3", "192.0.2.1"}, {"slow 4", "192.0.2.1"},
		} {
			w.dial(c.name, c.address).slot.setIdle(false)
		}
		for _, address := range []string{"192.0.2.3", "10.0.0.1"} {
			c := w.dial("new", address)
			if c == nil {
				t.Fatalf("%s: refused", address)
			}
			c.slot.setIdle(false)
			synctest.Wait() // until the other one is closed
		}
		if want := []string{"slow 1", "slow 2"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
		// Of those who have no more than it would have itself, none has to go, and others
		// don't wait behind it.
		if c := w.dial("late", "192.0.2.2"); c != nil {
			t.Error("an equal made way")
		}
	})
}

// TestOneCustomersRequestsMakeWay fills a listener with requests without an end from many
// networks of one customer, each of which has one: who comes from elsewhere, or from
// another part of the /48, is let in, and does not wait behind more of them.
func TestOneCustomersRequestsMakeWay(t *testing.T) {
	for name, address := range map[string]string{"/48": "2001:db8:0:%x::1", "/32": "2001:db8:%x::1", "IPv4 /24": "198.51.100.%d", "IPv4 /16": "198.51.%d.1"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const all = 200
				w := newLimitedWorld(all, all)
				defer w.close()
				let := func(name, address string) bool {
					done := make(chan *named, 1)
					go func() { done <- w.dial(name, address) }()
					synctest.Wait()
					select {
					case c := <-done:
						if c != nil {
							c.slot.setIdle(false)
						}
						return c != nil
					default:
						t.Fatalf("%s, from %s, waits", name, address)
						return false
					}
				}
				for i := range all + 40 {
					if in := let("flood", fmt.Sprintf(address, i)); in != (i < all) {
						t.Fatalf("%d of the flood: %v", i, in)
					}
				}
				for i := range 20 {
					for _, address := range []string{"203.0.113.5", "2001:db9:1::1", "10.0.0.1"} {
						if !let("right", address) {
							t.Errorf("%d, from %s: refused", i, address)
						}
					}
					if let("flood", fmt.Sprintf(address, i)) {
						t.Errorf("%d of the flood is let in again", i)
					}
				}
				if slices.Contains(w.gone, "right") {
					t.Error("others had to make way for the flood")
				}
			})
		})
	}
}

// TestNewConnectionsKeepTheirPlace fills a listener with requests that are never sent to their
// end, beside which somebody else has just connected: one more of the many does not close that
// connection, nor does another newcomer while there is a large network.
func TestNewConnectionsKeepTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 2 * largeShare
		w := newLimitedWorld(all, all)
		for i := range all - 2 {
			w.dial(fmt.Sprint("slow ", i), "192.0.2.1").slot.setIdle(false)
		}
		w.dial("just connected", "198.51.100.1")
		w.dial("by a proxy", "10.0.0.1")
		time.Sleep(2 * firstRequest) // they are idle
		for range 3 {
			if c := w.dial("slow too", "192.0.2.1"); c != nil {
				t.Error("one more of those that hold all")
			}
		}
		for i := range 3 {
			if c := w.dial("another", fmt.Sprintf("203.%d.113.1", i)); c == nil {
				t.Error("nobody makes way")
			}
		}
		synctest.Wait()
		if want := []string{"slow 0", "slow 1", "slow 2"}; !slices.Equal(slices.Sorted(slices.Values(w.gone)), want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
		// What is idle of the many makes way first.
		for _, s := range w.slots() {
			if c := s.conn.(*named); c.name == "slow 9" {
				s.setIdle(true)
			}
		}
		w.dial("one more", "203.0.114.1")
		synctest.Wait()
		if !slices.Contains(w.gone, "slow 9") || len(w.gone) != 4 {
			t.Errorf("closed %q", w.gone)
		}
	})
}

// TestLimitsChange has fewer connections than are open from then on, and then more.
func TestLimitsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimitedWorld(4, 4)
		for i := range 4 {
			w.dial(fmt.Sprint(i), fmt.Sprintf("192.%d.2.1", i))
		}
		time.Sleep(firstRequest)
		w.set(2, 1)
		w.dial("new", "192.9.2.1")
		synctest.Wait()
		if w.open != 2 || len(w.gone) != 3 {
			t.Errorf("%d are open after %q were closed", w.open, w.gone)
		}
		w.set(4, 2)
		networks := w.dial("another of it", "192.9.2.1").slot.networks
		w.dial("one more than it may have", "192.9.2.1")
		if n := w.networks.Held(networks...); n != 2 || w.open != 3 {
			t.Errorf("%d are open, %d of one network", w.open, n)
		}
	})
}
