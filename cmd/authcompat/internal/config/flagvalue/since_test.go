package flagvalue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
)

// TestSince reads ages and times, and what is neither.
func TestSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC)
	for _, test := range []struct{ text, time, written string }{
		{"7d", "2026-11-23T18:00:00Z", "7d"},
		{"90m", "2026-11-30T16:30:00Z", "1h30m"},
		{"2026-11-22", "2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z"},
		{"2026-11-22T06:00:00+02:00", "2026-11-22T04:00:00Z", "2026-11-22T04:00:00Z"},
		{"0", "0001-01-01T00:00:00Z", "0"},
		{"0d", "0001-01-01T00:00:00Z", "0"},
		{"", "0001-01-01T00:00:00Z", "0"},
	} {
		since := flagvalue.SinceAge(30 * flagvalue.Day) // the default, which a value replaces
		if err := since.Set(test.text); err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got := since.Time(now).Format(time.RFC3339); got != test.time || since.String() != test.written {
			t.Errorf("%q: %s, written %s; want %s, written %s", test.text, got, since.String(), test.time, test.written)
		}
		var again flagvalue.Since
		if err := again.Set(since.String()); err != nil || again != since {
			t.Errorf("%q: written as %s, it is read as %v, %v", test.text, since.String(), again, err)
		}
	}
	since := flagvalue.SinceAge(time.Hour)
	for _, text := range []string{"yesterday", "-1h", "7", "40000d", "2026-11-31", "2026-11-22 06:00"} {
		if err := since.Set(text); err == nil || !strings.Contains(err.Error(), "want an age such as 7d") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if since.String() != "1h" {
		t.Errorf("after what was refused it is %s", since.String())
	}
}
