package pgconn

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core"
)

// connSemaphore limits the number of calls that use a connection at once.
type connSemaphore struct {
	slots chan struct{}
	began time.Time

	mu sync.Mutex
	// expired has a channel for each instant that a call waits for, which is closed
	// then. Instants are multiples of timerSlack after began.
	expired map[time.Duration]chan struct{}
}

func newConnSemaphore(size int) *connSemaphore {
	return &connSemaphore{slots: make(chan struct{}, size), began: time.Now(), expired: make(map[time.Duration]chan struct{})}
}

// unwatched is for how long a call waits for a slot before it asks whether its caller has gone, or up to timerSlack longer:
// most get one within a millisecond, and a request that is asked for that has its connection watched, which
// costs more than to wait.
const unwatched = 100 * time.Millisecond

// acquire acquires a slot. It waits for one until the deadline, or up to timerSlack
// longer. If the context ends meanwhile, it may be noticed after unwatched.
func (c *connSemaphore) acquire(ctx context.Context, deadline time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.tryAcquire() {
		return nil
	}
	if soon := time.Now().Add(unwatched); soon.Before(deadline) {
		select {
		case c.slots <- struct{}{}:
			return nil
		case <-c.after(soon):
		}
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.after(deadline):
		return fmt.Errorf("%w: all %d connections busy", core.ErrUnavailable, cap(c.slots))
	}
}

// tryAcquire acquires a slot if one is free.
func (c *connSemaphore) tryAcquire() bool {
	select {
	case c.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// release releases a slot.
func (c *connSemaphore) release() { <-c.slots }

// after returns a channel that is closed at the deadline, or up to timerSlack
// later. Calls whose deadlines are close to each other share a timer.
func (c *connSemaphore) after(deadline time.Time) <-chan struct{} {
	end := (deadline.Sub(c.began)/timerSlack + 1) * timerSlack
	c.mu.Lock()
	defer c.mu.Unlock()
	expired, shared := c.expired[end]
	if !shared {
		expired = make(chan struct{})
		c.expired[end] = expired
		time.AfterFunc(time.Until(c.began.Add(end)), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.expired, end)
			close(expired)
		})
	}
	return expired
}
