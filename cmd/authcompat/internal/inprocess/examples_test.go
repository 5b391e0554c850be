package inprocess

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

// TestExamples loads the example profiles and replays the exchanges of those
// that have any.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../../../profiles/examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	replayed := 0
	for _, file := range files {
		p, err := profiles.Load(file)
		if err != nil {
			t.Error(err)
			continue
		}
		exchanges, err := conformance.Builtin(p.Name)
		if errors.Is(err, conformance.ErrNoExchanges) {
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		report := conformance.Run(t.Context(), []*conformance.File{exchanges}, NewLauncher([]*profiles.Profile{p}, ""), conformance.Options{})
		for _, r := range report.Profiles[0].Results {
			if r.Outcome != conformance.Passed {
				t.Errorf("%s, %s: %s %s %v", p.Name, r.Exchange, r.Outcome, r.Reason, r.Differences)
			}
			replayed++
		}
	}
	if replayed < 24 {
		t.Errorf("%d exchanges, want djoser's 24 at least", replayed)
	}
}
