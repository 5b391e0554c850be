package fairshare

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
)

// Turns lets a number of callers in at a time. The others wait: networks take turns, and so
// do those within them; within the narrowest, whoever came first is next. With n networks,
// one waits for at most n-1 callers of others between two of its own, however many wait
// there. It is safe for concurrent use.
type Turns struct {
	mu   sync.Mutex
	free int // nobody waits unless it is 0
	all  line
}

// line are those of a network who wait.
type line struct {
	around *line // nil: that of all clients
	prefix netip.Prefix
	place  *list.Element // in the turns of the one around it
	within map[netip.Prefix]*line
	turns  list.List // of the *line within, the next one first
	// ahead and behind are of *waiter, in the narrowest networks.
	ahead, behind list.List
}

// waiter is a caller who waits.
type waiter struct {
	ready chan struct{} // closed when it is let in
	line  *line         // nil: it does not wait any more
	queue *list.List    // of the line
	place *list.Element // in the queue
}

// NewTurns returns the turns of so many callers at a time, at least one.
func NewTurns(atATime int) *Turns { return &Turns{free: max(1, atATime)} }

// Enter waits for the turn of a caller, who is in networks ([Tree.Held]), or fails with the
// error of the context. The caller must call Leave once after it. In the narrowest network,
// those who are ahead come before those who are not.
func (t *Turns) Enter(ctx context.Context, networks []netip.Prefix, ahead bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	w := t.all.push(networks, ahead)
	t.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.line == nil { // it was let in meanwhile
		t.next()
	} else {
		w.leave()
	}
	return ctx.Err()
}

// Leave lets in the next caller.
func (t *Turns) Leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

// next lets in the next caller in place of one. The caller holds the lock.
func (t *Turns) next() {
	w := t.all.front()
	if w == nil {
		t.free++
		return
	}
	w.leave()
	close(w.ready)
}

// push adds a caller who is in networks within that of the line.
func (l *line) push(networks []netip.Prefix, ahead bool) *waiter {
	for _, p := range networks {
		next := l.within[p]
		if next == nil {
			if l.within == nil {
				l.within = make(map[netip.Prefix]*line)
			}
			next = &line{around: l, prefix: p}
			next.place = l.turns.PushBack(next)
			l.within[p] = next
		}
		l = next
	}
	w := &waiter{ready: make(chan struct{}), line: l, queue: &l.behind}
	if ahead {
		w.queue = &l.ahead
	}
	w.place = w.queue.PushBack(w)
	return w
}

// front returns the next caller, after whom it is the turn of other networks; nil: nobody
// waits.
func (l *line) front() *waiter {
	for e := l.turns.Front(); e != nil; e = l.turns.Front() {
		l.turns.MoveToBack(e)
		l = e.Value.(*line)
	}
	for _, queue := range []*list.List{&l.ahead, &l.behind} {
		if e := queue.Front(); e != nil {
			return e.Value.(*waiter)
		}
	}
	return nil
}

// leave removes a caller, and the networks in which nobody waits any more.
func (w *waiter) leave() {
	w.queue.Remove(w.place)
	for l := w.line; l.around != nil && l.turns.Len()+l.ahead.Len()+l.behind.Len() == 0; l = l.around {
		l.around.turns.Remove(l.place)
		delete(l.around.within, l.prefix)
	}
	w.line = nil
}
