package storetest

import (
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

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
