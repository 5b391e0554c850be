package main

import (
	"context"
	"slices"
	"strings"
	"time"
)

// runsUnplanted is how often a test that failed twice with a bug has to pass without it. One
// that fails by accident every other time would pass for a good one in one of 32 cases.
const runsUnplanted = 3

// run runs tests against a bug until one bites: it fails, fails again when it is run alone,
// and passes without the bug. Others that fail do so by accident. They are skipped, since
// the first failure ends a run: otherwise they would hide a test that bites.
func (s *session) run(ctx context.Context, t tests, overlayFile string) (outcome, error) {
	start := time.Now()
	var accidents []string
	for {
		o, err := s.runOnce(ctx, t, overlayFile, 1)
		if err == nil && o.crashed() {
			var again outcome
			again, err = s.runOnce(ctx, t, overlayFile, 1)
			if err == nil && again.verdict == survived {
				again.verdict, again.detail = unsteady, o.detail
			}
			o = again
		}
		bites := false
		if err == nil && o.test != "" {
			bites, err = s.bites(ctx, t.only(o.test), overlayFile)
		}
		if err == nil && o.test != "" && !bites {
			accidents = append(accidents, o.test)
			t = t.without(accidents)
			continue
		}
		if o.verdict == survived && len(accidents) > 0 {
			o.verdict, o.detail = unsteady, strings.Join(accidents, " ")
		}
		o.took = time.Since(start)
		return o, err
	}
}

// bites tells whether a test that has failed with a bug fails again, and only with it.
func (s *session) bites(ctx context.Context, t tests, overlayFile string) (bool, error) {
	again, err := s.runOnce(ctx, t, overlayFile, 1)
	if err != nil || again.verdict != caught {
		return false, err
	}
	s.mu.Lock()
	known := slices.Contains(s.steady, t)
	s.mu.Unlock()
	if known {
		return true, nil
	}
	o, err := s.runOnce(ctx, t, "", runsUnplanted)
	if err != nil || o.verdict != survived {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steady = append(s.steady, t)
	return true, nil
}
