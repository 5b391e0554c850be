package conformance

import (
	"testing"
	"time"
)

func TestInWords(t *testing.T) {
	for span, want := range map[time.Duration]string{
		14*24*time.Hour + 23*time.Hour:      "14 days, 23 hours",
		24*time.Hour + time.Minute:          "1 day, 1 minute",
		3650 * 24 * time.Hour:               "3650 days",
		9*time.Hour + 58*time.Minute:        "9 hours, 58 minutes",
		2*time.Hour + 1500*time.Millisecond: "2 hours, 1 second",
		time.Millisecond:                    "1 second",
	} {
		if got := inWords(span); got != want {
			t.Errorf("%v: %q, want %q", span, got, want)
		}
	}
}
