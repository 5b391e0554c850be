package storetest

import (
	"testing"

	"github.com/authcompat/authcompat/core"
)

func passwords() []testCase {
	return []testCase{
		{"a password is replaced", replaced},
		{"another password than the old one stays", notReplaced},
		{"nobody's password", nobodysPassword},
	}
}

func replaced(t *testing.T, p pair) {
	ann, bob := p.add(t, newUser("ann")), p.add(t, newUser("bob"))
	p.issue(t, tokenOf(ann, "key"))
	if err := p.a.UpdatePassword(t.Context(), ann.ID, "hash of ann", "new hash", false, nil); err != nil {
		t.Fatal(err)
	}
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "new hash"})
	wantAccount(t, p.b, core.Account{User: bob, PasswordHash: "hash of bob"})
	wantFound(t, p.b, "key", tokenOf(ann, "key"), ann)
}

func notReplaced(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	for _, old := range []string{"", "hash of bob", "Hash of ann", "hash of ann ", "hash of an%"} {
		err := p.a.UpdatePassword(t.Context(), ann.ID, old, "new hash", false, nil)
		wantError(t, "update from "+old, err, core.ErrNotFound)
	}
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "hash of ann"})
}

func nobodysPassword(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	err := p.a.UpdatePassword(t.Context(), ann.ID+1, "hash of ann", "new hash", false, nil)
	wantError(t, "update", err, core.ErrNotFound)
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "hash of ann"})
}

// wantAccount checks the account with this name.
func wantAccount(t *testing.T, s core.Store, want core.Account) {
	t.Helper()
	account, err := s.Account(t.Context(), want.Username)
	if err != nil {
		t.Errorf("account %q: %v", want.Username, err)
		return
	}
	wantSame(t, "account "+want.Username, want, account)
}
