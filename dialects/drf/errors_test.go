package drf

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

// TestFailures has an answer to each kind of failure, in a sentence that profiles of
// the family have.
func TestFailures(t *testing.T) {
	p, err := profiles.Load("ocd-users")
	if err != nil {
		t.Fatal(err)
	}
	table := failures(p.Rules)
	for _, kind := range core.Kinds() {
		f, found := table[kind]
		if !found || p.Messages[f.message] == "" {
			t.Errorf("%s: %+v", kind, f)
		}
		if f.login != nil && p.Messages[f.login.message] == "" {
			t.Errorf("%s at login: %+v", kind, *f.login)
		}
	}
	if n := len(core.Kinds()); n < 12 || len(table) != n {
		t.Errorf("%d answers to %d kinds", len(table), n)
	}
}
