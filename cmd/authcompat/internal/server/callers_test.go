package server

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core/callers"
)

// TestCallersKept deletes who called longer ago than that is kept, by the settings of the time.
func TestCallersKept(t *testing.T) {
	t.Chdir(t.TempDir())
	writeSettings(t, "")
	s := unheard(t)
	defer s.engine.Close()
	now := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	for days := range 120 {
		at := now.AddDate(0, 0, -days)
		if err := s.engine.Backend.Callers.AddCalls(t.Context(), fmt.Sprint(days), []callers.Calls{{Day: callers.DayOf(at), Requests: 1, First: at, Last: at}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		changes string
		want    int64
	}{
		{"", 91}, {"callers: {enabled: off}\n", 91}, {"callers: {retention: 10d}\n", 11}, {"callers: {retention: 36h}\n", 3}, {"callers: {retention: 0}\n", 0},
	} {
		writeSettings(t, test.changes)
		if err := s.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.collect(t.Context(), now)
		all, err := s.engine.Backend.Callers.SumCalls(t.Context(), callers.Filter{}, callers.ByEndpoint)
		if err != nil {
			t.Fatal(err)
		}
		left := int64(0)
		for _, c := range all {
			left += c.Requests
		}
		if left != test.want {
			t.Errorf("%q: %d days are left, want %d", test.changes, left, test.want)
		}
	}
}
