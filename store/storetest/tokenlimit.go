package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func tokenLimits() []testCase {
	return []testCase{
		{"a token beyond the limit is refused", beyondLimit},
		{"tokens that have ended, never end, or are of others are not counted", notCounted},
		{"logins at once: no more tokens than the limit", raceLimit},
	}
}

// endingOf returns a token that expires after noon.
func endingOf(u core.User, key string, ttl time.Duration) core.Token {
	token := tokenOf(u, key)
	token.ExpiresAt = noon().Add(ttl)
	return token
}

func beyondLimit(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	issue := func(key string, limit int) error {
		return p.a.IssueToken(t.Context(), endingOf(ann, key, time.Hour), "", limit, nil)
	}
	for i, key := range []string{"first", "second"} {
		if err := issue(key, 2); err != nil {
			t.Fatalf("token %d of 2: %v", i+1, err)
		}
	}
	for _, limit := range []int{1, 2} {
		wantError(t, "issue", issue("third", limit), core.ErrTokenLimit)
	}
	wantGone(t, p.b, "third")
	wantError(t, "issue", p.a.IssueToken(t.Context(), endingOf(ann, "third", time.Hour), "another hash", 2, nil), core.ErrPasswordChanged)
	if err := p.b.DeleteToken(t.Context(), core.Presented("first").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	for i, limit := range []int{2, 0, 4} { // in the place of the first, without a limit, with a higher one
		if err := issue(fmt.Sprint("later ", i), limit); err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func notCounted(t *testing.T, p pair) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	elsewhere := endingOf(ann, "of another realm", time.Hour)
	elsewhere.Realm = "inner"
	for _, token := range []core.Token{
		elsewhere, tokenOf(ann, "never ends"), endingOf(ann, "ended before", -time.Microsecond), endingOf(ann, "ends now", 0), endingOf(bob, "of another", time.Hour),
	} {
		p.issue(t, token)
	}
	last := endingOf(ann, "ends in a moment", time.Microsecond)
	last.Issuer = "another-api"
	if err := p.a.IssueToken(t.Context(), last, "", 1, nil); err != nil {
		t.Fatal(err)
	}
	wantError(t, "issue", p.b.IssueToken(t.Context(), endingOf(ann, "second", time.Hour), "", 1, nil), core.ErrTokenLimit)
}

func raceLimit(t *testing.T, p pair) {
	const limit = 3
	for round := range 8 {
		ann := p.add(t, newUser(fmt.Sprint("ann", round)))
		var issued atomic.Int32
		together(actors, func(i int) {
			err := p.both(i).IssueToken(t.Context(), endingOf(ann, fmt.Sprintf("key %d of %d", i, round), time.Hour), "", limit, nil)
			switch {
			case err == nil:
				issued.Add(1)
			case !errors.Is(err, core.ErrTokenLimit):
				t.Error(err)
			}
		})
		if n := issued.Load(); n != limit {
			t.Errorf("round %d: %d tokens, want %d", round, n, limit)
		}
	}
}
