package adopt

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/fairshare"
)

// turns bounds how many questions are asked at a time, and how many wait. The networks of
// clients take turns, and where there is no room left, the newest of the network that has
// most gives way to one of a network that has less.
type turns struct {
	most, queue int
	each        int64 // of most, those of one network, which may know what takes long

	mu       sync.Mutex
	running  int
	networks fairshare.Tree[held]
	waiting  list.List // of *turn, the newest last
	next     uint64
}

// held is what the clients of a network have.
type held struct {
	running, waiting int64
	turn             uint64 // the lowest is next; 0: nobody waits
}

// turn is a question that waits, or is being asked.
type turn struct {
	networks []netip.Prefix
	place    *list.Element
	ready    chan struct{} // closed when it may be asked, or has to give way
	evicted  bool
}

func newTurns(most, queue int) *turns {
	return &turns{most: most, queue: queue, each: int64(most - most/4)}
}

// errCrowded is a question for which there is no room.
func errCrowded() error { return unavailable(errTooMany) }

// take waits for the turn of a client, at most as long as a question may take. The caller must call
// release in the end. It fails with KindUnavailable or KindCanceled.
func (t *turns) take(ctx context.Context) (release func(), err error) {
	mine := &turn{networks: clients.Of(ctx).Networks(), ready: make(chan struct{})}
	t.mu.Lock()
	switch {
	case t.running < t.most && t.networks.Held(mine.networks[0]).running < t.each: // then nobody waits who could start
		t.start(mine)
	case t.waiting.Len() >= t.queue && !t.makeRoom(mine):
		t.mu.Unlock()
		return nil, errCrowded()
	default:
		t.push(mine)
	}
	t.mu.Unlock()
	timer := time.NewTimer(askTimeout)
	defer timer.Stop()
	select {
	case <-mine.ready:
		if mine.evicted {
			return nil, errCrowded()
		}
	case <-timer.C:
		t.leave(mine)
		return nil, errCrowded()
	case <-ctx.Done():
		t.leave(mine)
		return nil, &core.Error{Kind: core.KindCanceled, Err: ctx.Err()}
	}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.end(mine)
	}, nil
}

// leave gives up a turn, which may have come meanwhile.
func (t *turns) leave(w *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.place != nil {
		t.remove(w)
	} else if !w.evicted {
		t.end(w)
	}
}

func (t *turns) push(w *turn) {
	w.place = t.waiting.PushBack(w)
	t.next++
	t.networks.Update(w.networks, func(h *held) {
		if h.waiting++; h.waiting == 1 {
			h.turn = t.next
		}
	})
}

func (t *turns) remove(w *turn) {
	t.waiting.Remove(w.place)
	w.place = nil
	t.networks.Update(w.networks, func(h *held) {
		if h.waiting--; h.waiting == 0 {
			h.turn = 0
		}
	})
}

func (t *turns) start(w *turn) {
	t.running++
	t.networks.Update(w.networks, func(h *held) { h.running++ })
	close(w.ready)
}

// end ends a question, and starts the next.
func (t *turns) end(w *turn) {
	t.running--
	t.networks.Update(w.networks, func(h *held) { h.running-- })
	first := t.networks.All().Innermost(func(h held) (int64, bool) { return -int64(h.turn), h.waiting > 0 && h.running < t.each })
	if first == nil || t.waiting.Len() == 0 {
		return
	}
	for e := t.waiting.Front(); e != nil; e = e.Next() {
		if w := e.Value.(*turn); w.networks[len(w.networks)-1] == first.Prefix {
			t.next++
			t.networks.Update(w.networks, func(h *held) { h.turn = t.next }) // others are next
			t.remove(w)
			t.start(w)
			return
		}
	}
}

// makeRoom makes the newest that waits of the network that has most give way. It reports
// whether there is one that has more than that of the newcomer would.
func (t *turns) makeRoom(newcomer *turn) bool {
	byHeld := func(h held) (int64, bool) { return h.running + h.waiting, h.waiting > 0 }
	largest := t.networks.Yielding(newcomer.networks, 1, byHeld)
	if largest == nil {
		return false
	}
	narrowest := largest.Innermost(byHeld).Prefix
	for e := t.waiting.Back(); e != nil; e = e.Prev() {
		if w := e.Value.(*turn); w.networks[len(w.networks)-1] == narrowest {
			t.remove(w)
			w.evicted = true
			close(w.ready)
			return true
		}
	}
	return false
}
