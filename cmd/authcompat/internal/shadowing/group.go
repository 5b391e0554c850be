package shadowing

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Group is the work of all shadows of a process.
type Group struct {
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
	lane   lane
	// comparing is held while answers are compared: an old server could have each take some fifty megabytes.
	comparing sync.Mutex

	working atomic.Int64
	mu      sync.Mutex
	closed  bool
}

// Working returns how many requests are watched, or being compared.
func (g *Group) Working() int64 { return g.working.Load() }

// NewGroup returns a group without work.
func NewGroup() *Group {
	g := &Group{lane: make(lane, 1)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// work does what is left to do with a request, for which nobody waits, unless the group is closed.
func (g *Group) work(do func(ctx context.Context)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		g.working.Add(-1)
		return
	}
	g.all.Go(func() {
		defer g.working.Add(-1)
		ctx, cancel := context.WithTimeout(g.ctx, maxWork)
		defer cancel()
		do(ctx)
	})
}

// closeTime is how long work may go on that has begun when a group is closed.
const closeTime = 2 * time.Second

// Close takes no more work, and waits for what has begun; after two seconds it ends that.
func (g *Group) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	late := time.AfterFunc(closeTime, g.cancel)
	g.all.Wait()
	late.Stop()
	g.cancel()
}
