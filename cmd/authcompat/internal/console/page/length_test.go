package page_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
)

// TestLength has lengths of time in words, as exact as is asked for.
func TestLength(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		d    time.Duration
		most int
		want string
	}{
		{15 * day, 4, "15 days"},
		{90 * time.Minute, 4, "1 hour 30 minutes"},
		{day + 2*time.Hour + time.Minute + time.Second, 4, "1 day 2 hours 1 minute 1 second"},
		{day + 2*time.Hour + time.Minute + time.Second, 2, "1 day 2 hours"},
		{day + time.Second, 2, "1 day 1 second"},
		{1999 * time.Millisecond, 2, "1 second"},
		{999 * time.Millisecond, 2, "less than a second"},
		{0, 4, "less than a second"},
	} {
		if got := page.Length(c.d, c.most); got != c.want {
			t.Errorf("%v, %d units: %q, want %q", c.d, c.most, got, c.want)
		}
	}
}
