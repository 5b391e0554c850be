package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
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
		{"a token that has ended gets no other", endedBy},
	}
}

func tokenKept(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	everything := suite.ReusableOf(ann, "everything", 15*24*time.Hour)
	everything.Sealed = []byte{0, 255, '\'', 0}
	tests := []struct {
		name  string
		token core.Token
	}{
		{"never expires", suite.TokenOf(ann, "never expires")},
		{"slides", suite.SlidingOf(ann, "slides", 10*time.Hour)},
		{"everything", everything},
	}
	for _, test := range tests {
		p.Issue(t, test.token)
	}
	for _, test := range tests {
		suite.WantFound(t, p.A, test.name, test.token, ann)
		suite.WantFound(t, p.B, test.name, test.token, ann)
	}
}

// sameBeginning presents a token's beginning, which some tables keep readable, with another end.
func sameBeginning(t *testing.T, p suite.Pair) {
	const key = "0123456789abcdef0123456789abcdef01234567"
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, key))
	for _, text := range []string{key[:39] + "8", key[:39], key + "0", key[:8], key[:15], key[:16] + strings.Repeat("0", 24)} {
		for _, store := range []core.Store{p.A, p.B} {
			_, _, err := store.FindToken(t.Context(), suite.Realm, core.Presented(text))
			suite.WantError(t, "find "+text, err, core.ErrNotFound)
		}
	}
	suite.WantFound(t, p.B, key, suite.TokenOf(ann, key), ann)
}

func manyTokens(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	for _, key := range []string{"1", "2", "3"} {
		p.Issue(t, suite.TokenOf(ann, key))
	}
	p.Issue(t, suite.TokenOf(bob, "4"))
	for _, key := range []string{"1", "2", "3"} {
		suite.WantFound(t, p.B, key, suite.TokenOf(ann, key), ann)
	}
	suite.WantFound(t, p.B, "4", suite.TokenOf(bob, "4"), bob)
}

func expiredFound(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for key, end := range map[string]time.Time{
		"long over": time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC),
		"far ahead": time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		token := suite.TokenOf(ann, key)
		token.ExpiresAt = end
		p.Issue(t, token)
		suite.WantFound(t, p.B, key, token, ann)
	}
}

func otherRealm(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	token := suite.TokenOf(ann, "key")
	token.Realm = "inner"
	p.Issue(t, token)
	for _, realm := range []string{"", "default", "Inner", "inner "} {
		_, _, err := p.B.FindToken(t.Context(), realm, "key")
		suite.WantError(t, "find in realm "+realm, err, core.ErrNotFound)
	}
	suite.WantFound(t, p.B, "key", token, ann)
}

func noToken(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, "key"))
	for _, text := range []string{"", "ke", "key ", "KEY", "k\x00y", "\xff\xfe", "%", strings.Repeat("k", 100_000)} {
		token, user, err := p.B.FindToken(t.Context(), suite.Realm, core.Presented(text))
		suite.WantError(t, "find", err, core.ErrNotFound)
		suite.WantSame(t, "token beside the error", core.Token{}, token)
		suite.WantSame(t, "user beside the error", core.User{}, user)
	}
}

func inactiveUser(t *testing.T, p suite.Pair) {
	u := suite.NewUser("ann")
	u.Inactive = true
	ann := p.Add(t, u)
	suite.WantError(t, "issue", p.A.IssueToken(t.Context(), suite.TokenOf(ann, "issued"), "", 0, nil), core.ErrUserInactive)
	token, err := p.A.ReuseToken(t.Context(), suite.ReusableOf(ann, "reused", time.Hour), "", suite.Noon(), nil)
	suite.WantError(t, "reuse", err, core.ErrUserInactive)
	suite.WantSame(t, "token beside the error", core.Token{}, token)
	suite.WantGone(t, p.B, "issued")
	suite.WantGone(t, p.B, "reused")
}

// changedPassword issues tokens for a password that is another by then, and for the one
// that it is.
func changedPassword(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	if err := p.B.UpdatePassword(t.Context(), ann.ID, "hash of ann", "new hash", false, nil); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"hash of ann", "New hash", "new hash "} {
		suite.WantError(t, "issue", p.A.IssueToken(t.Context(), suite.TokenOf(ann, "issued"), old, 0, nil), core.ErrPasswordChanged)
		token, err := p.A.ReuseToken(t.Context(), suite.ReusableOf(ann, "reused", time.Hour), old, suite.Noon(), nil)
		suite.WantError(t, "reuse", err, core.ErrPasswordChanged)
		suite.WantSame(t, "token beside the error", core.Token{}, token)
	}
	suite.WantGone(t, p.B, "issued")
	suite.WantGone(t, p.B, "reused")
	if err := p.A.IssueToken(t.Context(), suite.TokenOf(ann, "issued"), "new hash", 0, nil); err != nil {
		t.Errorf("issue: %v", err)
	}
	for _, hash := range []string{"new hash", ""} {
		if _, err := p.A.ReuseToken(t.Context(), suite.ReusableOf(ann, "reused", time.Hour), hash, suite.Noon(), nil); err != nil {
			t.Errorf("reuse: %v", err)
		}
	}
	suite.WantFound(t, p.B, "issued", suite.TokenOf(ann, "issued"), ann)
}

// endedBy issues tokens by one that is there, and by ones that are not.
func endedBy(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	first := suite.TokenOf(ann, "first")
	p.Issue(t, first)
	by := func(token core.Token, by core.Digest) core.Token {
		token.By = by
		return token
	}
	if err := p.B.IssueToken(t.Context(), by(suite.TokenOf(ann, "second"), first.Digest), "", 0, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantFound(t, p.A, "second", suite.TokenOf(ann, "second"), ann)
	if err := p.A.DeleteToken(t.Context(), first.Digest, nil); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []core.Digest{first.Digest, suite.TokenOf(ann, "never issued").Digest} {
		for _, limit := range []int{0, 9} {
			suite.WantError(t, "issue", p.B.IssueToken(t.Context(), by(suite.TokenOf(ann, "third"), gone), "", limit, nil), core.ErrTokenEnded)
		}
		token, err := p.B.ReuseToken(t.Context(), by(suite.ReusableOf(ann, "third", time.Hour), gone), "", suite.Noon(), nil)
		suite.WantError(t, "reuse", err, core.ErrTokenEnded)
		suite.WantSame(t, "token beside the error", core.Token{}, token)
	}
	suite.WantGone(t, p.A, "third")
}

func nobodysToken(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	nobody := core.User{ID: ann.ID + 1}
	suite.WantError(t, "issue", p.A.IssueToken(t.Context(), suite.TokenOf(nobody, "issued"), "", 0, nil), core.ErrNotFound)
	_, err := p.A.ReuseToken(t.Context(), suite.ReusableOf(nobody, "reused", time.Hour), "", suite.Noon(), nil)
	suite.WantError(t, "reuse", err, core.ErrNotFound)
	suite.WantGone(t, p.B, "issued")
	suite.WantGone(t, p.B, "reused")
}

func deletion() []testCase {
	return []testCase{
		{"a deleted token is gone", tokenDeleted},
		{"a deleted token can't be deleted", deletedTwice},
		{"all tokens of the user in the realm go", userTokensDeleted},
		{"a user without tokens", nothingToDelete},
		{"of very many, some go at a time", tokensTrimmed},
	}
}

func tokenDeleted(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	p.Issue(t, suite.TokenOf(ann, "key"))
	p.Issue(t, suite.TokenOf(ann, "other"))
	suite.WantFound(t, p.B, "key", suite.TokenOf(ann, "key"), ann)
	if err := p.A.DeleteToken(t.Context(), suite.TokenOf(ann, "key").Digest, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantGone(t, p.A, "key")
	suite.WantGone(t, p.B, "key")
	suite.WantFound(t, p.B, "other", suite.TokenOf(ann, "other"), ann)
	suite.WantAccount(t, p.B, core.Account{User: ann, PasswordHash: "hash of ann"})
}

func deletedTwice(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	digest := suite.TokenOf(ann, "key").Digest
	suite.WantError(t, "delete before", p.A.DeleteToken(t.Context(), digest, nil), core.ErrNotFound)
	p.Issue(t, suite.TokenOf(ann, "key"))
	if err := p.A.DeleteToken(t.Context(), digest, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantError(t, "delete again", p.B.DeleteToken(t.Context(), digest, nil), core.ErrNotFound)
}

func userTokensDeleted(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	expired, elsewhere, inner := suite.SlidingOf(ann, "expired", -time.Hour), suite.TokenOf(ann, "elsewhere"), suite.TokenOf(ann, "inner")
	elsewhere.Issuer, inner.Realm = "another-api", "inner"
	for _, token := range []core.Token{
		suite.TokenOf(ann, "1"), suite.ReusableOf(ann, "2", time.Hour), expired, elsewhere, inner, suite.TokenOf(bob, "bob's"),
	} {
		p.Issue(t, token)
	}
	n, err := p.A.DeleteUserTokens(t.Context(), ann.ID, suite.Realm, nil)
	if err != nil {
		t.Fatal(err)
	}
	suite.WantSame(t, "number", 4, n)
	for _, key := range []string{"1", "2", "expired", "elsewhere"} {
		suite.WantGone(t, p.B, key)
	}
	suite.WantFound(t, p.B, "inner", inner, ann)
	suite.WantFound(t, p.B, "bob's", suite.TokenOf(bob, "bob's"), bob)

	fresh := suite.ReusableOf(ann, "fresh", time.Hour)
	suite.WantSame(t, "reused token", fresh, p.Reuse(t, fresh, suite.Noon()))
}

func nothingToDelete(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	for _, id := range []int64{ann.ID, ann.ID + 1} {
		n, err := p.A.DeleteUserTokens(t.Context(), id, suite.Realm, nil)
		if n != 0 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
	}
}

// tokensTrimmed looks at what is left after each step in what the last one deletes.
func tokensTrimmed(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	inner := suite.TokenOf(ann, "inner")
	inner.Realm = "inner"
	for _, token := range []core.Token{
		suite.TokenOf(ann, "1"), suite.TokenOf(ann, "2"), suite.SlidingOf(ann, "3", -time.Hour), suite.TokenOf(ann, "4"), suite.TokenOf(ann, "5"),
		inner, suite.TokenOf(bob, "bob's"),
	} {
		p.Issue(t, token)
	}
	trim := func(realm string, most, want int) {
		t.Helper()
		if n, err := p.A.TrimTokens(t.Context(), ann.ID, realm, most); n != want || err != nil {
			t.Errorf("to %d in the realm %q: %d, %v, want %d", most, realm, n, err, want)
		}
	}
	trim(suite.Realm, 5, 0)
	trim("", 6, 0)
	trim(suite.Realm, 2, 2)
	trim(suite.Realm, 3, 0)
	trim(suite.Realm, 2, 2)
	trim(suite.Realm, 1, 0)
	trim("inner", 1, 0)
	suite.WantFound(t, p.B, "inner", inner, ann)
	suite.WantFound(t, p.B, "bob's", suite.TokenOf(bob, "bob's"), bob)
	if n, err := p.A.DeleteUserTokens(t.Context(), ann.ID, suite.Realm, nil); n != 1 || err != nil {
		t.Errorf("%d tokens are left, %v", n, err)
	}
	p.Issue(t, suite.TokenOf(ann, "6"))
	trim("", 1, 1)
	trim("", 1, 0)
	if n, err := p.A.TrimTokens(t.Context(), bob.ID+1, suite.Realm, 1); n != 0 || err != nil {
		t.Errorf("of nobody: %d, %v", n, err)
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
	token := suite.TokenOf(u, key)
	token.ExpiresAt = suite.Noon().Add(ttl)
	return token
}

func beyondLimit(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	issue := func(key string, limit int) error {
		return p.A.IssueToken(t.Context(), endingOf(ann, key, time.Hour), "", limit, nil)
	}
	for i, key := range []string{"first", "second"} {
		if err := issue(key, 2); err != nil {
			t.Fatalf("token %d of 2: %v", i+1, err)
		}
	}
	for _, limit := range []int{1, 2} {
		suite.WantError(t, "issue", issue("third", limit), core.ErrTokenLimit)
	}
	suite.WantGone(t, p.B, "third")
	suite.WantError(t, "issue", p.A.IssueToken(t.Context(), endingOf(ann, "third", time.Hour), "another hash", 2, nil), core.ErrPasswordChanged)
	if err := p.B.DeleteToken(t.Context(), core.Presented("first").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	for i, limit := range []int{2, 0, 4} { // in the place of the first, without a limit, with a higher one
		if err := issue(fmt.Sprint("later ", i), limit); err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func notCounted(t *testing.T, p suite.Pair) {
	ann, bob := p.Add(t, suite.NewUser("ann")), p.Add(t, suite.NewUser("bob"))
	elsewhere := endingOf(ann, "of another realm", time.Hour)
	elsewhere.Realm = "inner"
	for _, token := range []core.Token{
		elsewhere, suite.TokenOf(ann, "never ends"), endingOf(ann, "ended before", -time.Microsecond), endingOf(ann, "ends now", 0), endingOf(bob, "of another", time.Hour),
	} {
		p.Issue(t, token)
	}
	last := endingOf(ann, "ends in a moment", time.Microsecond)
	last.Issuer = "another-api"
	if err := p.A.IssueToken(t.Context(), last, "", 1, nil); err != nil {
		t.Fatal(err)
	}
	suite.WantError(t, "issue", p.B.IssueToken(t.Context(), endingOf(ann, "second", time.Hour), "", 1, nil), core.ErrTokenLimit)
}

func raceLimit(t *testing.T, p suite.Pair) {
	const limit = 3
	for round := range 8 {
		ann := p.Add(t, suite.NewUser(fmt.Sprint("ann", round)))
		var issued atomic.Int32
		suite.Together(actors, func(i int) {
			err := p.Of(i).IssueToken(t.Context(), endingOf(ann, fmt.Sprintf("key %d of %d", i, round), time.Hour), "", limit, nil)
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
