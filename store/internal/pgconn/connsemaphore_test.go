package pgconn

import (
	"context"
	"errors"
	"sync"
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
		go func() { given <- c.acquire(t.Context(), deadline) }()
		synctest.Wait()
		c.release()
		if err := <-given; err != nil {
			t.Errorf("a released slot: %v", err)
		}
		if took := time.Since(deadline.Add(-time.Minute)); took != 0 {
			t.Errorf("that took %v", took)
		}
		c.release()
		if err := c.acquire(ctx, deadline); !errors.Is(err, context.Canceled) {
			t.Errorf("a free slot, ended context: %v, want %v", err, context.Canceled)
		}
	})
}
