package httpserver

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core/clients"
)

// served makes a connection one that has had a request and is idle.
func (c *named) served() {
	c.slot.setIdle(false)
	c.slot.setIdle(true)
}

// TestLargeNetworkMakesWayFirst has a network fill most of a listener with requests without an
// end: whoever comes, also again and again from one that has several, costs nobody else a
// connection, neither an idle one nor one that has just come.
func TestLargeNetworkMakesWayFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 2 * largeShare
		w := newLimitedWorld(all, all)
		for i := range 4 {
			w.dial(fmt.Sprint("kept ", i), "198.51.100.1").served()
		}
		for i := range all - 4 {
			w.dial(fmt.Sprint("slow ", i), "192.0.2.1").slot.setIdle(false)
		}
		time.Sleep(2 * firstRequest)
		for i := range 8 {
			w.dial(fmt.Sprint("new ", i), "203.0.113.1")
			w.dial(fmt.Sprint("another ", i), "198.51.100.1").served()
		}
		synctest.Wait()
		if n := len(w.gone); n != 16 {
			t.Errorf("%d are closed, want 16", n)
		}
		for i := range 16 {
			if want := fmt.Sprint("slow ", i); !slices.Contains(w.gone, want) {
				t.Errorf("closed %q, want %q among them", w.gone, want)
			}
		}
	})
}

// TestIdleOfTheRichestMakesWay checks that of idle connections, those of the network that has
// most go first, and not those of others that have been idle for longer.
func TestIdleOfTheRichestMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimitedWorld(100, 100)
		for i := range 94 {
			w.dial("alone", fmt.Sprintf("10.%d.0.2", i)).slot.setIdle(false)
		}
		for i := range 2 {
			w.dial(fmt.Sprint("few ", i), "198.51.100.1").served()
		}
		for i := range 4 {
			w.dial(fmt.Sprint("many ", i), "192.0.2.1").served()
		}
		for i := range 2 {
			w.dial("new", fmt.Sprintf("203.%d.113.1", i)).slot.setIdle(false)
			synctest.Wait()
		}
		if want := []string{"many 0", "many 1"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
	})
}

// TestYoungConnectionsAreNotIdle checks that connections that have just come do not make way as
// idle ones: those who send their first request a moment later would get no answer.
func TestYoungConnectionsAreNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimitedWorld(2, 2)
		w.dial("young", "198.51.100.1")
		w.dial("kept", "192.1.2.1").served()
		w.dial("first", "203.0.113.1").slot.setIdle(false)
		opened := make(chan *named)
		began := time.Now()
		go func() { opened <- w.dial("second", "192.2.2.1") }()
		if c := <-opened; c == nil || time.Since(began) < firstRequest/2 {
			t.Errorf("after %v: %v", time.Since(began), c)
		}
		synctest.Wait()
		if want := []string{"kept", "young"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
		// Who connects too often closes what he has opened himself.
		if c := w.dial("third", "192.2.2.1"); c == nil {
			t.Error("one more of his own is refused")
		}
		synctest.Wait()
		if want := []string{"kept", "young", "second"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
	})
}

// TestRequestsThroughAProxyMakeWay fills a listener with requests of one client behind a trusted
// proxy, of which the bodies are never sent: they make way for others from there and elsewhere,
// but not those that have been read.
func TestRequestsThroughAProxyMakeWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = largeShare
		w := newLimitedWorld(all, all)
		slow := clients.Client{Address: netip.MustParseAddr("198.51.100.1")}.Networks()
		for i := range all {
			c := w.dial(fmt.Sprint("slow ", i), "10.0.0.1")
			c.slot.setIdle(false)
			c.slot.claim(slow)
			if i == 0 {
				c.slot.unfinished.Store(false)
			}
		}
		began := time.Now()
		for _, from := range []string{"10.0.0.1", "203.0.113.1"} {
			w.dial("new", from).slot.setIdle(false)
			synctest.Wait()
		}
		if !time.Now().Equal(began) {
			t.Error("others had to wait")
		}
		if want := []string{"slow 1", "slow 2"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
		// When its request is over, the connection is the proxy's again.
		for _, s := range w.slots() {
			s.setIdle(true)
		}
		if held := w.networks.Held(slow...); held != 0 || w.open != all {
			t.Errorf("%d are counted of the client, %d in all", held, w.open)
		}
	})
}

// TestIdleOfAProxyMakesWay checks that of requests that a proxy has sent for one client, and that have
// been read, none makes way as long as the proxy has a connection that is idle.
func TestIdleOfAProxyMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = largeShare
		w := newLimitedWorld(all, all)
		school := clients.Client{Address: netip.MustParseAddr("198.51.100.1")}.Networks()
		for i := range all {
			c := w.dial(fmt.Sprint("request ", i), "10.0.0.1")
			c.slot.setIdle(false)
			c.slot.claim(school)
			c.slot.unfinished.Store(false)
		}
		for _, s := range w.slots()[:2] {
			s.conn.(*named).name = "kept"
			s.setIdle(true)
		}
		for _, from := range []string{"10.0.0.1", "203.0.113.1", "203.0.113.1"} {
			w.dial("new", from).slot.setIdle(false)
			synctest.Wait()
		}
		if want := []string{"kept", "kept", "request 2"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
	})
}

// TestUnfinishedRequestsMakeWayAtLast checks that a connection from anywhere does not wait
// behind requests that are not sent, whoever sends them, nor for ever behind others.
func TestUnfinishedRequestsMakeWayAtLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimitedWorld(3, 3)
		for _, name := range []string{"answered", "slow", "slower"} {
			c := w.dial(name, "10.0.0.1")
			c.slot.setIdle(false)
			c.slot.unfinished.Store(name != "answered")
		}
		for _, from := range []string{"10.0.0.1", "203.0.113.1"} {
			if c := w.dial("new", from); c == nil {
				t.Fatal("refused")
			} else {
				c.slot.setIdle(false)
				c.slot.unfinished.Store(false)
			}
			synctest.Wait()
		}
		if want := []string{"slow", "slower"}; !slices.Equal(w.gone, want) {
			t.Errorf("closed %q, want %q", w.gone, want)
		}
		began := time.Now()
		if c := w.dial("late", "10.0.0.1"); c != nil || time.Since(began) > 2*longWait {
			t.Errorf("%v, after %v", c, time.Since(began))
		}
	})
}
