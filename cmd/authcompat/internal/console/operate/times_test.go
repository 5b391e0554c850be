package operate_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
)

// TestTimesOfAudit reads times as pages show them, and times and ages as commands take them.
func TestTimesOfAudit(t *testing.T) {
	now := time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-22 06:00": "2026-11-22T06:00:00Z", "2026-11-22 06:00:07": "2026-11-22T06:00:07Z",
		"2026-11-22T06:00:00+02:00": "2026-11-22T04:00:00Z", "2026-11-22": "2026-11-22T00:00:00Z",
		"24h": "2026-11-29T18:00:00Z", "7d": "2026-11-23T18:00:00Z", "": "0001-01-01T00:00:00Z",
	} {
		if got, err := operate.ReadTime(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "1", "-1h", "06:00"} {
		if got, err := operate.ReadTime(text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
