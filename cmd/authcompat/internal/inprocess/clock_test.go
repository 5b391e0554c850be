package inprocess

import (
	"testing"
	"time"
)

// TestClock has times differ, a moved clock be past what was as far away, and clocks stand still or go on.
func TestClock(t *testing.T) {
	still := newStill()
	first, second := still.Now(), still.Now()
	if !first.Before(second) || second.Sub(first) > time.Millisecond {
		t.Errorf("%v, then %v", first, second)
	}
	still.Advance(time.Hour)
	if end := second.Add(time.Hour); !end.Before(still.Now()) {
		t.Error("an hour later, what is an hour away from the last time is not over")
	}

	now := time.Now()
	running := &Clock{read: func() time.Time { return now }}
	running.Advance(24 * time.Hour)
	if got := running.Now(); got.Sub(now) != 24*time.Hour {
		t.Errorf("a day later it is %v after %v", got, now)
	}
	now = now.Add(time.Minute)
	if got := running.Now(); got.Sub(now) != 24*time.Hour {
		t.Errorf("it does not go on: %v at %v", got, now)
	}
}
