package inprocess

import (
	"sync"
	"time"
)

// A Clock is one that can be moved forward. No two of its times are the same, so that two logins never
// happen at one instant.
type Clock struct {
	read func() time.Time // what it goes by

	mu    sync.Mutex
	ahead time.Duration
	last  time.Time
}

// NewClock returns a clock that shows the machine's time until it is moved, and goes on with it.
func NewClock() *Clock { return &Clock{read: time.Now} }

// newStill returns a clock that stands still, beside what makes its times differ: exchanges expect
// times that they have moved it to.
func newStill() *Clock {
	now := time.Now()
	return &Clock{read: func() time.Time { return now }}
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.read().Add(c.ahead)
	if least := c.last.Add(time.Microsecond); now.Before(least) {
		now = least
	}
	c.last = now
	return now
}

// Advance moves the clock forward: what was d away from its last time is over then.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	if !c.last.IsZero() {
		c.last = c.last.Add(d)
	}
}
