package clockwatch

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestWatch checks that a clock counts as ahead for as long as it is, and not because
// it drifts.
func TestWatch(t *testing.T) {
	const year = 365 * 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		var w Watch
		var set time.Duration
		for _, test := range []struct{ set, ahead time.Duration }{
			{0, 0},
			{30 * time.Second, 0},
			{30 * time.Second, 0},
			{-45 * time.Second, 0},
			{year, year},
			{0, year},
			{time.Second, year},
			{time.Hour, year + time.Hour},
			{-year - time.Hour, 0},
			{-year, 0},
			{year, year},
		} {
			set += test.set
			if got := w.Observe(time.Now().Add(set), time.Now()); got != test.ahead {
				t.Errorf("set by %v: ahead by %v, want %v", test.set, got, test.ahead)
			}
			time.Sleep(10 * time.Minute)
		}
	})
}
