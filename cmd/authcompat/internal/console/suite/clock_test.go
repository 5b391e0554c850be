package suite

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/profiles"
)

// TestMarks has the ends of tokens in the time line, by the rules of a profile.
func TestMarks(t *testing.T) {
	const day = 24 * time.Hour
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	moved := []point{{At: start}, {At: start.Add(time.Hour), By: 10 * day}}
	now := start.Add(10*day + 2*time.Hour)
	for name, c := range map[string]struct {
		tokens profiles.Tokens
		want   []string
	}{
		"ends": {profiles.Tokens{TTL: 12 * day}, []string{
			"past 01-02 03:04 The console started, 10 days 2 hours ago", "past 01-02 04:04 The clock was moved by 10 days, 10 days 1 hour ago",
			"now 01-12 05:04 Now, ", "future 01-14 04:04 A token issued just before it was moved by 10 days ends, in 1 day 23 hours",
			"future 01-24 05:04 A token issued now ends, in 12 days",
		}},
		"has ended": {profiles.Tokens{TTL: 5 * day}, []string{
			"past 01-02 03:04 The console started, 10 days 2 hours ago", "past 01-02 04:04 The clock was moved by 10 days, 10 days 1 hour ago",
			"past 01-07 04:04 A token issued just before it was moved by 10 days has ended, 5 days 1 hour ago",
			"now 01-12 05:04 Now, ", "future 01-17 05:04 A token issued now ends, in 5 days",
		}},
		"sliding": {profiles.Tokens{TTL: day, Sliding: true, Max: 30 * day}, []string{
			"past 01-02 03:04 The console started, 10 days 2 hours ago", "past 01-02 04:04 The clock was moved by 10 days, 10 days 1 hour ago",
			"past 01-03 04:04 A token issued just before it was moved by 10 days has ended, unless it was used since, 9 days 1 hour ago",
			"now 01-12 05:04 Now, ", "future 01-13 05:04 A token issued now ends, unless it was used since, in 1 day",
			"future 02-11 05:04 A token issued now ends, however often it is used, in 30 days",
		}},
		"never": {profiles.Tokens{}, []string{
			"past 01-02 03:04 The console started, 10 days 2 hours ago", "past 01-02 04:04 The clock was moved by 10 days, 10 days 1 hour ago", "now 01-12 05:04 Now, ",
		}},
	} {
		var got []string
		for _, m := range marks(moved, now, c.tokens) {
			got = append(got, m.Class+" "+m.At.Format("01-02 15:04")+" "+m.Text+", "+m.Away)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestRule says how tokens end.
func TestRule(t *testing.T) {
	for want, tokens := range map[string]profiles.Tokens{
		"Tokens of this API don’t end by themselves.":                                                           {},
		"A token of this API ends 10 hours after its login.":                                                    {TTL: 10 * time.Hour},
		"A token of this API ends 1 hour 30 minutes after its last use.":                                        {TTL: 90 * time.Minute, Sliding: true},
		"A token of this API ends 1 day after its last use, and at the latest 2 days 1 second after its login.": {TTL: 24 * time.Hour, Sliding: true, Max: 48*time.Hour + time.Second},
	} {
		if got := rule(tokens); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestClock moves the clock of this process's servers, past the end of a token too, and not without end.
func TestClock(t *testing.T) {
	clock := inprocess.NewClock()
	ours := targettest.Launched(t, profile, nil)
	c := serve(t, Options{Targets: []target.Target{ours}, Clock: clock})
	c.of(profile).has(t, "A token of this API ends 10 hours after its login.", "The console started", "A token issued now ends · in 10 hours")
	before := clock.Now()
	for by, want := range map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "end": 10*time.Hour + time.Second} {
		from := clock.Now()
		page := c.post(path+"clock", url.Values{"target": {profile}, "by": {by}})
		if moved := clock.Now().Sub(from); moved < want || moved > want+time.Hour/2 {
			t.Errorf("%s: moved by %v", by, moved)
		}
		page.has(t, "The clock was moved by "+inWords(want))
	}
	c.of(profile).has(t, "after it was moved by 1 day 11 hours here", "has ended")
	if moved := clock.Now().Sub(before); moved < 35*time.Hour {
		t.Errorf("moved by %v in all", moved)
	}
	for name, fields := range map[string]url.Values{
		"by nothing": {"target": {profile}}, "back": {"target": {profile}, "by": {"-1h"}},
	} {
		if page := c.post(path+"clock", fields); page.status != http.StatusBadRequest {
			t.Errorf("%s: status %d", name, page.status)
		}
	}
	if page := c.post(path+"clock", url.Values{"by": {"day"}, "target": {"none"}}); page.status != http.StatusForbidden {
		t.Errorf("of no target: status %d", page.status)
	}
}

// TestClockEnds moves the clock as far as it goes: a profile may have tokens that end in a hundred years.
func TestClockEnds(t *testing.T) {
	clock := inprocess.NewClock()
	ours := targettest.Launched(t, profile, nil)
	long := *ours.Profile
	long.Tokens.TTL = 36500 * 24 * time.Hour
	ours.Profile = &long
	c := serve(t, Options{Targets: []target.Target{ours}, Clock: clock})
	c.post(path+"clock", url.Values{"target": {profile}, "by": {"end"}}).has(t, "The clock was moved by 36500 days")
	at := clock.Now()
	page := c.post(path+"clock", url.Values{"target": {profile}, "by": {"end"}})
	if page.status != http.StatusConflict || !strings.Contains(page.text, "in all") || clock.Now().Sub(at) > time.Hour {
		t.Errorf("status %d: %s", page.status, page.text)
	}
	c.of(profile).has(t, "has ended")
	// Of many moves, the last are remembered.
	for range 5 {
		page = c.post(path+"clock", url.Values{"target": {profile}, "by": {"day"}})
	}
	if n := strings.Count(page.text, "The clock was moved by 1 day"); n != 3 || !strings.Contains(page.text, "The console started") {
		t.Errorf("%d moves: %s", n, page.text)
	}
}

// TestNoClock has no time line where there is no clock to be moved.
func TestNoClock(t *testing.T) {
	c := serve(t, Options{Targets: []target.Target{targettest.Launched(t, profile, nil)}})
	c.of(profile).lacks(t, "Move it on")
	if page := c.post(path+"clock", url.Values{"target": {profile}, "by": {"day"}}); page.status != http.StatusMethodNotAllowed && page.status != http.StatusNotFound {
		t.Errorf("status %d", page.status)
	}
}
