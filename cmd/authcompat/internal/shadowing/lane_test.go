package shadowing

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core/hashing"
)

// TestLane works a tenth of the time, and lets nobody wait for long.
func TestLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(lane, 1)
		began := time.Now()
		work := func() error {
			time.Sleep(100 * time.Millisecond)
			return nil
		}
		var ended []time.Duration
		for range 3 {
			if err := l.do(t.Context(), work); err != nil {
				t.Fatal(err)
			}
			ended = append(ended, time.Since(began))
		}
		for i, want := range []time.Duration{100 * time.Millisecond, 1100 * time.Millisecond, 2100 * time.Millisecond} {
			if ended[i] != want {
				t.Errorf("%d ended after %v, want %v", i, ended[i], want)
			}
		}
		failed := errors.New("failed")
		if err := l.do(t.Context(), func() error { time.Sleep(time.Second); return failed }); !errors.Is(err, failed) {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.do(ctx, work); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		began = time.Now()
		if err := l.do(t.Context(), work); !errors.Is(err, hashing.ErrBusy) || time.Since(began) != maxLaneWait {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		time.Sleep(3 * time.Second)
		if err := l.do(t.Context(), work); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second) // it rests
	})
}
