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

	mu   sync.Mutex
	over chan struct{} // closed at end, for all whose deadline is just before it
	end  time.Time
}

func newPlaces(count int) *places { return &places{taken: make(chan struct{}, count)} }

// take takes a place, and waits for one until the deadline, or up to later after
// it.
func (p *places) take(ctx context.Context, deadline time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.taken <- struct{}{}:
		return nil
	default:
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

// leave gives a place back.
func (p *places) leave() { <-p.taken }

// after gives what is closed at the deadline, or up to later after it, so that
// those who begin to wait at about the same time need one timer.
func (p *places) after(deadline time.Time) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if spare := p.end.Sub(deadline); p.over == nil || spare < 0 || spare > later {
		over := make(chan struct{})
		p.over, p.end = over, deadline.Add(later)
		time.AfterFunc(time.Until(p.end), func() { close(over) })
	}
	return p.over
}
