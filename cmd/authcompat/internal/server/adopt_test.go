package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/profiles"
)

// TestWarnAdoptions warns of an end that is near once a day, and of one that has come once, also
// after a reload that has set another.
func TestWarnAdoptions(t *testing.T) {
	var log strings.Builder
	s := &server{log: slog.New(slog.NewTextHandler(&log, nil)), apis: []*api{{}}}
	until := time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)
	set := func(until time.Time) {
		s.apis[0].bound.Store(&config.BoundProfile{Profile: &profiles.Profile{Name: "p"}, Front: &frontconfig.Front{Adopt: &frontconfig.Adopt{Until: until, At: "c.yaml:1:2: until"}}})
	}
	set(until)
	said := make(map[string]time.Time)
	check := func(now time.Time, want string) {
		t.Helper()
		log.Reset()
		s.warnAdoptions(now, said)
		got := log.String()
		if got != "" && !strings.Contains(got, "register") {
			t.Errorf("%v: %q does not say whose the names are", now, got)
		}
		if want == "" && got != "" || !strings.Contains(got, want) || want != "" && !strings.Contains(got, "c.yaml:1:2: until") {
			t.Errorf("%v: %q, want %q", now, got, want)
		}
	}
	const near, over = "nearly over", "is over: the old server is not asked"
	check(until.Add(-8*24*time.Hour), "")
	check(until.Add(-7*24*time.Hour), near)
	check(until.Add(-7*24*time.Hour+time.Minute), "")
	check(until.Add(-6*24*time.Hour), near)
	check(until, over)
	check(until.Add(24*time.Hour), "")
	later := until.Add(30 * 24 * time.Hour)
	set(later)
	check(until.Add(24*time.Hour), "")
	check(later.Add(time.Hour), over)
}
