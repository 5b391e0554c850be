package adopt

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
)

// from is the context of a client.
func from(ctx context.Context, address string) context.Context {
	return clients.With(ctx, func() clients.Client { return clients.Client{Address: netip.MustParseAddr(address)} })
}

// asking is a question in a test.
type asking struct {
	release func()
	err     error
	done    bool
}

func (t *turns) try(ctx context.Context) *asking {
	a := &asking{}
	go func() {
		a.release, a.err = t.take(ctx)
		a.done = true
	}()
	synctest.Wait()
	return a
}

// TestTurns asks two questions at a time, lets three wait, and lets networks take turns.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newTurns(2, 3)
		const flood, other = "192.0.2.1", "198.51.100.1"
		var all []*asking
		for range 5 {
			all = append(all, q.try(from(t.Context(), flood)))
		}
		for i, a := range all {
			if a.done != (i < 2) {
				t.Errorf("question %d: begun %t", i, a.done)
			}
		}
		if a := q.try(from(t.Context(), flood)); !errors.Is(a.err, errTooMany) || core.KindOf(a.err) != core.KindUnavailable || core.RetryAfter(a.err) == 0 {
			t.Errorf("one more of the same network: %+v", a)
		}
		late := q.try(from(t.Context(), other))
		if late.done || !errors.Is(all[4].err, errTooMany) {
			t.Errorf("one of another network: %+v, the newest of the first: %+v", late, all[4])
		}
		later := q.try(from(t.Context(), other))
		if later.done || !errors.Is(all[3].err, errTooMany) {
			t.Errorf("a second one: %+v, %+v", later, all[3])
		}
		all[0].release()
		synctest.Wait()
		all[1].release()
		synctest.Wait()
		if !all[2].done || !late.done || later.done {
			t.Errorf("turns: %t, %t, %t", all[2].done, late.done, later.done)
		}
		all[2].release()
		synctest.Wait()
		later.release()
		late.release()
		if q.running != 0 || q.waiting.Len() != 0 || q.networks.All().Held.running != 0 || q.networks.All().Held.waiting != 0 {
			t.Errorf("left: %+v", q)
		}
	})
}

// TestTurnsOfClientsWhoLeave gives their places to others.
func TestTurnsOfClientsWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newTurns(1, 2)
		first := q.try(from(t.Context(), "192.0.2.1"))
		ctx, cancel := context.WithCancel(t.Context())
		leaving := q.try(from(ctx, "192.0.2.2"))
		waiting := q.try(from(t.Context(), "192.0.2.3"))
		cancel()
		synctest.Wait()
		if core.KindOf(leaving.err) != core.KindCanceled {
			t.Errorf("%+v", leaving)
		}
		first.release()
		synctest.Wait()
		if !waiting.done || waiting.err != nil {
			t.Errorf("%+v", waiting)
		}
		late := q.try(from(t.Context(), "192.0.2.4"))
		time.Sleep(askTimeout)
		synctest.Wait()
		if !errors.Is(late.err, errTooMany) {
			t.Errorf("waits for ever: %+v", late)
		}
		waiting.release()
		if q.running != 0 || q.waiting.Len() != 0 {
			t.Errorf("left: %+v", q)
		}
	})
}

// TestTurnsOfOneNetwork leaves a quarter of the questions to others, whatever one network asks.
func TestTurnsOfOneNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newTurns(maxAsked, maxWaiting)
		var flood, others []*asking
		for i := range maxAsked + 4 {
			flood = append(flood, q.try(from(t.Context(), netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String())))
		}
		for i, a := range flood {
			if a.done != (i < 12) {
				t.Errorf("question %d: begun %t", i, a.done)
			}
		}
		for i := range 5 {
			others = append(others, q.try(from(t.Context(), netip.AddrFrom4([4]byte{198, 51, byte(i), 1}).String())))
		}
		for i, a := range others {
			if a.done != (i < 4) {
				t.Errorf("question %d of others: begun %t", i, a.done)
			}
		}
		others[0].release()
		synctest.Wait()
		if !others[4].done || flood[12].done {
			t.Errorf("after one of others: %t, %t", others[4].done, flood[12].done)
		}
		flood[0].release()
		synctest.Wait()
		if !flood[12].done || flood[13].done {
			t.Errorf("after one of the network: %t, %t", flood[12].done, flood[13].done)
		}
		for _, a := range append(flood[1:], others[1:]...) {
			synctest.Wait()
			if !a.done {
				t.Fatal("one waits, though there is room")
			}
			a.release()
		}
		synctest.Wait()
		if q.running != 0 || q.waiting.Len() != 0 {
			t.Errorf("left: %+v", q)
		}
	})
}
