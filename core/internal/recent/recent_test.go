package recent_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/internal/recent"
)

func TestDurations(t *testing.T) {
	var d recent.Durations
	if got := d.Sample(); got != 0 {
		t.Errorf("a sample of none is %v", got)
	}
	for i := range 1000 {
		d.Add(time.Duration(i))
	}
	seen := make(map[time.Duration]bool)
	for range 10000 {
		seen[d.Sample()] = true
	}
	if len(seen) != 64 {
		t.Errorf("%d durations are drawn, want the last 64", len(seen))
	}
	for got := range seen {
		if got < 1000-64 {
			t.Errorf("%v is not one of the last", got)
		}
	}
}
