package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestPlacesDeadlines lets many wait for a place that nobody gives back, with
// deadlines in any order.
func TestPlacesDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlaces(1)
		if err := p.take(t.Context(), time.Now()); err != nil {
			t.Fatalf("a free place: %v", err)
		}
		began := time.Now()
		var waiting sync.WaitGroup
		for i := range 1000 {
			wait := time.Duration(i*7919%1000) * time.Millisecond // each of them once
			waiting.Go(func() {
				err := p.take(t.Context(), began.Add(wait))
				if took := time.Since(began); !errors.Is(err, core.ErrUnavailable) || took < wait || took > wait+later {
					t.Errorf("deadline %v: %v after %v", wait, err, took)
				}
			})
		}
		waiting.Wait()
	})
}

// TestPlacesOthers is what else can come of waiting.
func TestPlacesOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlaces(1)
		deadline := time.Now().Add(time.Minute)
		if err := p.take(t.Context(), deadline); err != nil {
			t.Fatalf("a free place: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		canceled, given := make(chan error), make(chan error)
		go func() { canceled <- p.take(ctx, deadline) }()
		synctest.Wait()
		cancel()
		if err := <-canceled; !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v, want %v", err, context.Canceled)
		}
		go func() { given <- p.take(t.Context(), deadline) }()
		synctest.Wait()
		p.leave()
		if err := <-given; err != nil {
			t.Errorf("a place given back: %v", err)
		}
		if took := time.Since(deadline.Add(-time.Minute)); took != 0 {
			t.Errorf("that took %v", took)
		}
		p.leave()
		if err := p.take(ctx, deadline); !errors.Is(err, context.Canceled) {
			t.Errorf("a free place, ended context: %v, want %v", err, context.Canceled)
		}
	})
}
