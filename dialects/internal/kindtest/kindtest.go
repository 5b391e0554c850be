// Package kindtest checks a family's table of answers.
package kindtest

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

// Run checks that a family's table answers every kind of failure, and that the built-in
// profile has a message under each name that messages returns for an answer.
func Run[Answer any](t *testing.T, profile string, table func(*profiles.Profile) map[core.Kind]Answer, messages func(Answer) []string) {
	t.Helper()
	p, err := profiles.Load(profile)
	if err != nil {
		t.Fatal(err)
	}
	answers, kinds := table(p), core.Kinds()
	for _, kind := range kinds {
		answer, found := answers[kind]
		if !found {
			t.Errorf("%s has no answer", kind)
			continue
		}
		for _, name := range messages(answer) {
			if p.Messages[name] == "" {
				t.Errorf("%s: %s has no message %q", kind, profile, name)
			}
		}
	}
	if len(kinds) < 12 || len(answers) != len(kinds) {
		t.Errorf("%d answers to %d kinds", len(answers), len(kinds))
	}
}
