package plainjson

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

// TestFailures has an answer to each kind of failure, in a sentence that profiles of
// the family have.
func TestFailures(t *testing.T) {
	p, err := profiles.Load("authtokens")
	if err != nil {
		t.Fatal(err)
	}
	table := failures()
	for _, kind := range core.Kinds() {
		f, found := table[kind]
		if !found || p.Messages[f.message] == "" {
			t.Errorf("%s: %+v", kind, f)
		}
		if f.login != "" && p.Messages[f.login] == "" {
			t.Errorf("%s at login: %s", kind, f.login)
		}
	}
	if n := len(core.Kinds()); n < 12 || len(table) != n {
		t.Errorf("%d answers to %d kinds", len(table), n)
	}
}
