package core_test

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// TestNobodyKeepsATokenThroughARevocation ends all tokens, while somebody who has one gets others by it:
// between the steps, so that most of the new ones are among those that a step has dealt with.
func TestNobodyKeepsATokenThroughARevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.user(t, "john")
	var kept []core.Session
	first := w.login(t, fixed, "john")
	for range 600 { // more than one step
		s, err := w.Issue(t.Context(), fixed, first)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, s)
	}
	got := 0
	more := func() error {
		for _, has := range kept {
			if w.check(t, has) != nil {
				continue
			}
			for range 9 {
				s, err := w.Issue(t.Context(), fixed, has)
				if err != nil {
					return err
				}
				kept, got = append(kept, s), got+1
			}
			return nil
		}
		return nil
	}
	n, err := w.RevokeAllTokens(t.Context(), w.store.(core.Admin), time.Time{}, more)
	if err != nil || n != 601+got {
		t.Errorf("revoked %d of %d, %v", n, 601+got, err)
	}
	if got == 0 {
		t.Error("nobody got another token meanwhile")
	}
	for _, s := range kept {
		if err := w.check(t, s); err == nil {
			t.Error("a token is left")
			break
		}
	}
}
