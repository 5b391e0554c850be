package front

import (
	"context"
	"sync/atomic"
	"time"
)

// watchAfter is when it is watched whether the client has left.
const watchAfter = 100 * time.Millisecond

// pace is what an exchange does by the clock, with one timer: it gives up an application
// that is silent, lets go of one whose client has left, and sends what waits in buffers.
type pace struct {
	client context.Context // of the request: it ends when the client leaves
	began  time.Time
	heard  atomic.Int64 // when the last bytes came or went, in nanoseconds since then

	// Under the lock of the exchange.
	timer    *time.Timer
	ticked   bool
	unwatch  func() bool // nil: the client is not watched yet
	reading  bool        // the client is waited for, under a deadline of its own
	answered bool        // the answer has begun
	buffered bool        // the answer is not sent at once
}

func (x *exchange) startPace() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pace.began = time.Now()
	x.pace.timer = time.AfterFunc(flushInterval, x.tick)
}

// endPace stops the timer. The caller holds the lock.
func (x *exchange) endPace() {
	x.pace.timer.Stop()
	if x.pace.unwatch != nil {
		x.pace.unwatch()
	}
}

// heard is told that bytes have come or gone.
func (x *exchange) heard() { x.pace.heard.Store(int64(time.Since(x.pace.began))) }

// answering is told that the answer has begun, and whether it is buffered.
func (x *exchange) answering(buffered bool) {
	x.heard()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pace.answered, x.pace.buffered = true, buffered
	if x.pace.ticked {
		x.pace.timer.Reset(flushInterval)
	}
}

// waiting is told whether the client's body is waited for.
func (x *exchange) waiting(yes bool) {
	x.heard()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pace.reading = yes
}

// tick does what is due.
func (x *exchange) tick() {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := &x.pace
	if x.done {
		return
	}
	p.ticked = true
	now := time.Since(p.began)
	limit := x.Timeout
	if p.answered {
		limit = x.IdleTimeout
	}
	next := limit - (now - time.Duration(p.heard.Load()))
	switch {
	case p.reading:
		next = limit
	case next <= 0:
		x.cancel(errSilent)
		return
	}
	if p.unwatch == nil {
		if now < watchAfter {
			next = min(next, watchAfter-now)
		} else {
			p.unwatch = context.AfterFunc(p.client, func() { x.cancel(context.Canceled) })
		}
	}
	if p.buffered {
		next = min(next, flushInterval)
		x.mu.Unlock() // the client may be slow, and the request still come
		x.out.flushIdle()
		x.mu.Lock()
		if x.done {
			return
		}
	}
	p.timer.Reset(next)
}
