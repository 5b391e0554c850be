package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func tokens() []testCase {
	return []testCase{
		{"a token is kept as given", tokenKept},
		{"a user has many tokens", manyTokens},
		{"an expired token is found", expiredFound},
		{"a token of another realm is not found", otherRealm},
		{"text that is no token is not found", noToken},
		{"text that begins like a token is not found", sameBeginning},
		{"an inactive user gets no token", inactiveUser},
		{"nobody gets no token", nobodysToken},
		{"a password that was changed gets no token", changedPassword},
	}
}

func tokenKept(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	everything := reusableOf(ann, "everything", 15*24*time.Hour)
	everything.Sealed = []byte{0, 255, '\'', 0}
	tests := []struct {
		name  string
		token core.Token
	}{
		{"never expires", tokenOf(ann, "never expires")},
		{"slides", slidingOf(ann, "slides", 10*time.Hour)},
		{"everything", everything},
	}
	for _, test := range tests {
		p.issue(t, test.token)
	}
	for _, test := range tests {
		wantFound(t, p.a, test.name, test.token, ann)
		wantFound(t, p.b, test.name, test.token, ann)
	}
}

// sameBeginning presents a token's beginning, which some tables keep readable, with another end.
func sameBeginning(t *testing.T, p pair) {
	const key = "0123456789abcdef0123456789abcdef01234567"
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, key))
	for _, text := range []string{key[:39] + "8", key[:39], key + "0", key[:8], key[:15], key[:16] + strings.Repeat("0", 24)} {
		for _, store := range []core.Store{p.a, p.b} {
			_, _, err := store.FindToken(t.Context(), realm, core.Presented(text))
			wantError(t, "find "+text, err, core.ErrNotFound)
		}
	}
	wantFound(t, p.b, key, tokenOf(ann, key), ann)
}

func manyTokens(t *testing.T, p pair) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	for _, key := range []string{"1", "2", "3"} {
		p.issue(t, tokenOf(ann, key))
	}
	p.issue(t, tokenOf(bob, "4"))
	for _, key := range []string{"1", "2", "3"} {
		wantFound(t, p.b, key, tokenOf(ann, key), ann)
	}
	wantFound(t, p.b, "4", tokenOf(bob, "4"), bob)
}

func expiredFound(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	for key, end := range map[string]time.Time{
		"long over": time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC),
		"far ahead": time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		token := tokenOf(ann, key)
		token.ExpiresAt = end
		p.issue(t, token)
		wantFound(t, p.b, key, token, ann)
	}
}

func otherRealm(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	token := tokenOf(ann, "key")
	token.Realm = "inner"
	p.issue(t, token)
	for _, realm := range []string{"", "default", "Inner", "inner "} {
		_, _, err := p.b.FindToken(t.Context(), realm, "key")
		wantError(t, "find in realm "+realm, err, core.ErrNotFound)
	}
	wantFound(t, p.b, "key", token, ann)
}

func noToken(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, "key"))
	for _, text := range []string{"", "ke", "key ", "KEY", "k\x00y", "\xff\xfe", "%", strings.Repeat("k", 100_000)} {
		token, user, err := p.b.FindToken(t.Context(), realm, core.Presented(text))
		wantError(t, "find", err, core.ErrNotFound)
		wantSame(t, "token beside the error", core.Token{}, token)
		wantSame(t, "user beside the error", core.User{}, user)
	}
}

func inactiveUser(t *testing.T, p pair) {
	u := newUser("ann")
	u.Inactive = true
	ann := p.add(t, u)
	wantError(t, "issue", p.a.IssueToken(t.Context(), tokenOf(ann, "issued"), "", 0, nil), core.ErrUserInactive)
	token, err := p.a.ReuseToken(t.Context(), reusableOf(ann, "reused", time.Hour), "", noon(), nil)
	wantError(t, "reuse", err, core.ErrUserInactive)
	wantSame(t, "token beside the error", core.Token{}, token)
	wantGone(t, p.b, "issued")
	wantGone(t, p.b, "reused")
}

// changedPassword issues tokens for a password that is another by then, and for the one
// that it is.
func changedPassword(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	if err := p.b.UpdatePassword(t.Context(), ann.ID, "hash of ann", "new hash", false, nil); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"hash of ann", "New hash", "new hash "} {
		wantError(t, "issue", p.a.IssueToken(t.Context(), tokenOf(ann, "issued"), old, 0, nil), core.ErrPasswordChanged)
		token, err := p.a.ReuseToken(t.Context(), reusableOf(ann, "reused", time.Hour), old, noon(), nil)
		wantError(t, "reuse", err, core.ErrPasswordChanged)
		wantSame(t, "token beside the error", core.Token{}, token)
	}
	wantGone(t, p.b, "issued")
	wantGone(t, p.b, "reused")
	if err := p.a.IssueToken(t.Context(), tokenOf(ann, "issued"), "new hash", 0, nil); err != nil {
		t.Errorf("issue: %v", err)
	}
	for _, hash := range []string{"new hash", ""} {
		if _, err := p.a.ReuseToken(t.Context(), reusableOf(ann, "reused", time.Hour), hash, noon(), nil); err != nil {
			t.Errorf("reuse: %v", err)
		}
	}
	wantFound(t, p.b, "issued", tokenOf(ann, "issued"), ann)
}

func nobodysToken(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	nobody := core.User{ID: ann.ID + 1}
	wantError(t, "issue", p.a.IssueToken(t.Context(), tokenOf(nobody, "issued"), "", 0, nil), core.ErrNotFound)
	_, err := p.a.ReuseToken(t.Context(), reusableOf(nobody, "reused", time.Hour), "", noon(), nil)
	wantError(t, "reuse", err, core.ErrNotFound)
	wantGone(t, p.b, "issued")
	wantGone(t, p.b, "reused")
}

func deletion() []testCase {
	return []testCase{
		{"a deleted token is gone", tokenDeleted},
		{"a deleted token can't be deleted", deletedTwice},
		{"all tokens of the user in the realm go", userTokensDeleted},
		{"a user without tokens", nothingToDelete},
	}
}

func tokenDeleted(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	p.issue(t, tokenOf(ann, "key"))
	p.issue(t, tokenOf(ann, "other"))
	wantFound(t, p.b, "key", tokenOf(ann, "key"), ann)
	if err := p.a.DeleteToken(t.Context(), tokenOf(ann, "key").Digest, nil); err != nil {
		t.Fatal(err)
	}
	wantGone(t, p.a, "key")
	wantGone(t, p.b, "key")
	wantFound(t, p.b, "other", tokenOf(ann, "other"), ann)
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "hash of ann"})
}

func deletedTwice(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	digest := tokenOf(ann, "key").Digest
	wantError(t, "delete before", p.a.DeleteToken(t.Context(), digest, nil), core.ErrNotFound)
	p.issue(t, tokenOf(ann, "key"))
	if err := p.a.DeleteToken(t.Context(), digest, nil); err != nil {
		t.Fatal(err)
	}
	wantError(t, "delete again", p.b.DeleteToken(t.Context(), digest, nil), core.ErrNotFound)
}

func userTokensDeleted(t *testing.T, p pair) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	expired, elsewhere, inner := slidingOf(ann, "expired", -time.Hour), tokenOf(ann, "elsewhere"), tokenOf(ann, "inner")
	elsewhere.Issuer, inner.Realm = "another-api", "inner"
	for _, token := range []core.Token{
		tokenOf(ann, "1"), reusableOf(ann, "2", time.Hour), expired, elsewhere, inner, tokenOf(bob, "bob's"),
	} {
		p.issue(t, token)
	}
	n, err := p.a.DeleteUserTokens(t.Context(), ann.ID, realm, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "number", 4, n)
	for _, key := range []string{"1", "2", "expired", "elsewhere"} {
		wantGone(t, p.b, key)
	}
	wantFound(t, p.b, "inner", inner, ann)
	wantFound(t, p.b, "bob's", tokenOf(bob, "bob's"), bob)

	fresh := reusableOf(ann, "fresh", time.Hour)
	wantSame(t, "reused token", fresh, p.reuseToken(t, fresh, noon()))
}

func nothingToDelete(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	for _, id := range []int64{ann.ID, ann.ID + 1} {
		n, err := p.a.DeleteUserTokens(t.Context(), id, realm, nil)
		if n != 0 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
	}
}

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
