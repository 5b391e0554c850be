package pgconn

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestConnSemaphoreDeadlines has many calls wait for a slot that is never released,
// with deadlines in any order.
func TestConnSemaphoreDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConnSemaphore(1)
		if err := c.acquire(t.Context(), time.Now()); err != nil {
			t.Fatalf("a free slot: %v", err)
		}
		began := time.Now()
		var waiting sync.WaitGroup
		for i := range 1000 {
			wait := time.Duration(i*7919%1000) * time.Millisecond // each of them once
			waiting.Go(func() {
				err := c.acquire(t.Context(), began.Add(wait))
				if took := time.Since(began); !errors.Is(err, core.ErrUnavailable) || took < wait || took > wait+timerSlack {
					t.Errorf("deadline %v: %v after %v", wait, err, took)
				}
			})
		}
		waiting.Wait()
	})
}

// TestConnSemaphoreWaiting covers cancellation and release while a call waits.
func TestConnSemaphoreWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConnSemaphore(1)
		deadline := time.Now().Add(time.Minute)
		if err := c.acquire(t.Context(), deadline); err != nil {
			t.Fatalf("a free slot: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		canceled, given := make(chan error), make(chan error)
		go func() { canceled <- c.acquire(ctx, deadline) }()
		synctest.Wait()
		cancel()
		if err := <-canceled; !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v, want %v", err, context.Canceled)
		}
		began := deadline.Add(-time.Minute)
		if took := time.Since(began); took > unwatched+timerSlack {
			t.Errorf("ended context: noticed after %v", took)
		}
		began = time.Now()
		go func() { given <- c.acquire(t.Context(), deadline) }()
		synctest.Wait()
		c.release()
		if err := <-given; err != nil {
			t.Errorf("a released slot: %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("a released slot took %v", took)
		}
		c.release()
		if err := c.acquire(ctx, deadline); !errors.Is(err, context.Canceled) {
			t.Errorf("a free slot, ended context: %v, want %v", err, context.Canceled)
		}
	})
}

// asked is a context that tells whether anybody asks when it ends.
type asked struct {
	context.Context
	times atomic.Int32
}

func (a *asked) Done() <-chan struct{} {
	a.times.Add(1)
	return a.Context.Done()
}

// TestConnSemaphoreAsksLate has calls wait for a slot: the context of one that gets it soon is not asked when it ends, and
// that of one that waits for longer is, also where little time is left.
func TestConnSemaphoreAsksLate(t *testing.T) {
	for name, test := range map[string]struct {
		left, released time.Duration
		want           int32
	}{
		"soon":        {time.Minute, unwatched - timerSlack, 0},
		"late":        {time.Minute, unwatched + 2*timerSlack, 1},
		"little left": {unwatched / 2, unwatched / 4, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newConnSemaphore(1)
			if err := c.acquire(t.Context(), time.Now()); err != nil {
				t.Fatalf("%s: a free slot: %v", name, err)
			}
			ctx := &asked{Context: t.Context()}
			given := make(chan error)
			go func() { given <- c.acquire(ctx, time.Now().Add(test.left)) }()
			time.Sleep(test.released) // of the bubble's clock
			c.release()
			if err := <-given; err != nil || ctx.times.Load() != test.want {
				t.Errorf("%s: %v, asked %d times, want %d", name, err, ctx.times.Load(), test.want)
			}
		})
	}
}
