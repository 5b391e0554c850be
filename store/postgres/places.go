package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
)

// places bound how many do something at a time.
type places struct {
	taken chan struct{}
	began time.Time

	mu sync.Mutex
	// over are closed at instants that are a multiple of later after began, for
	// those who wait until then.
	over map[time.Duration]chan struct{}
}

func newPlaces(count int) *places {
	return &places{taken: make(chan struct{}, count), began: time.Now(), over: make(map[time.Duration]chan struct{})}
}

// take takes a place, and waits for one until the deadline, or up to later after
// it.
func (p *places) take(ctx context.Context, deadline time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.tryTake() {
		return nil
	}
	select {
	case p.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.after(deadline):
		return fmt.Errorf("%w: all %d connections busy", core.ErrUnavailable, cap(p.taken))
	}
}

// tryTake takes a place if one is free.
func (p *places) tryTake() bool {
	select {
	case p.taken <- struct{}{}:
		return true
	default:
		return false
	}
}

// leave gives a place back.
func (p *places) leave() { <-p.taken }

// after gives what is closed at the deadline, or up to later after it. Those who
// wait until about the same time share a timer.
func (p *places) after(deadline time.Time) <-chan struct{} {
	end := (deadline.Sub(p.began)/later + 1) * later
	p.mu.Lock()
	defer p.mu.Unlock()
	over, shared := p.over[end]
	if !shared {
		over = make(chan struct{})
		p.over[end] = over
		time.AfterFunc(time.Until(p.began.Add(end)), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.over, end)
			close(over)
		})
	}
	return over
}
