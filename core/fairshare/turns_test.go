package fairshare_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/authcompat/authcompat/core/fairshare"
)

// callers take turns, and note in which order.
type callers struct {
	*fairshare.Turns
	order []string
}

// call has a caller wait, in one turn that is taken.
func (c *callers) call(ctx context.Context, name string, ahead bool, networks ...string) {
	var prefixes []netip.Prefix
	for _, n := range networks {
		prefixes = append(prefixes, netip.MustParsePrefix(n))
	}
	go func() {
		if c.Enter(ctx, prefixes, ahead) == nil {
			c.order = append(c.order, name)
		}
	}()
	synctest.Wait()
}

// next ends a turn, and waits for whoever has the next one.
func (c *callers) next() {
	c.Leave()
	synctest.Wait()
}

func TestTurnsOfNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &callers{Turns: fairshare.NewTurns(1)}
		c.call(t.Context(), "first", false, "192.0.0.0/16", "192.0.2.0/24")
		for i := range 3 {
			c.call(t.Context(), fmt.Sprint("a", i), false, "192.0.0.0/16", "192.0.2.0/24")
		}
		c.call(t.Context(), "beside", false, "192.0.0.0/16", "192.0.3.0/24")
		c.call(t.Context(), "ahead", true, "192.0.0.0/16", "192.0.2.0/24")
		c.call(t.Context(), "b0", false, "198.51.0.0/16", "198.51.100.0/24")
		c.call(t.Context(), "b1", false, "198.51.0.0/16", "198.51.100.0/24")
		for range 7 {
			c.next()
		}
		want := []string{"first", "ahead", "b0", "beside", "b1", "a0", "a1", "a2"}
		if !slices.Equal(c.order, want) {
			t.Errorf("turns %v, want %v", c.order, want)
		}
	})
}

// TestTurnsOfThoseWhoLeave checks that who gives up takes no turn, neither while it waits nor
// when its turn comes at that moment.
func TestTurnsOfThoseWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &callers{Turns: fairshare.NewTurns(2)}
		c.call(t.Context(), "first", false, "192.0.2.0/24")
		c.call(t.Context(), "second", false, "192.0.2.0/24")
		ctx, leave := context.WithCancel(t.Context())
		c.call(ctx, "gone", false, "198.51.100.0/24")
		c.call(t.Context(), "third", false, "192.0.2.0/24")
		leave()
		synctest.Wait()
		c.call(ctx, "gone before", false, "198.51.100.0/24")
		c.next()

		ctx, leave = context.WithCancel(t.Context())
		c.call(ctx, "perhaps", false, "192.0.2.0/24")
		c.call(t.Context(), "fourth", false, "192.0.2.0/24")
		leave()
		c.next()
		if slices.Contains(c.order, "perhaps") {
			c.next()
		}
		if want := []string{"first", "second", "third", "fourth"}; !slices.Equal(slices.DeleteFunc(slices.Clone(c.order), func(s string) bool { return s == "perhaps" }), want) {
			t.Errorf("turns %v, want %v", c.order, want)
		}
		for range 2 { // both turns are free again
			c.next()
		}
		c.call(t.Context(), "fifth", false, "192.0.2.0/24")
		c.call(t.Context(), "sixth", false, "192.0.2.0/24")
		c.call(t.Context(), "late", false, "192.0.2.0/24")
		if n := len(c.order); c.order[n-1] != "sixth" {
			t.Errorf("turns %v: want two at a time", c.order)
		}
		c.next()
		if n := len(c.order); c.order[n-1] != "late" {
			t.Errorf("turns %v", c.order)
		}
	})
}
