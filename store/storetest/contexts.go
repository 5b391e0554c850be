package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

func contexts() []testCase {
	return []testCase{
		{"a call with a context that is over does nothing", contextOver},
		{"a call whose context ends is done whole or not at all", contextEnds},
	}
}

func contextOver(t *testing.T, p pair) {
	ann := p.add(t, newUser("ann"))
	token := reusableOf(ann, "key", time.Hour)
	p.issue(t, token)
	over, cancel := context.WithCancel(t.Context())
	cancel()

	calls := map[string]func() error{
		"CreateUser": func() error {
			_, err := p.a.CreateUser(over, newUser("bob"), nil, nil)
			return err
		},
		"Account": func() error {
			_, err := p.a.Account(over, "ann")
			return err
		},
		"IssueToken": func() error { return p.a.IssueToken(over, tokenOf(ann, "issued"), "", 0, nil) },
		"ReuseToken": func() error {
			_, err := p.a.ReuseToken(over, reusableOf(ann, "reused", 2*time.Hour), "", noon(), nil)
			return err
		},
		"FindToken":    func() error { return find(over, p.a, "key") },
		"ExtendExpiry": func() error { return p.a.ExtendExpiry(over, token.Digest, noon().Add(3*time.Hour), noon()) },
		"DeleteToken":  func() error { return p.a.DeleteToken(over, token.Digest, nil) },
		"DeleteUserTokens": func() error {
			_, err := p.a.DeleteUserTokens(over, ann.ID, realm, nil)
			return err
		},
		"UpdatePassword": func() error { return p.a.UpdatePassword(over, ann.ID, "hash of ann", "new", false, nil) },
		"Ping":           func() error { return p.a.Ping(over) },
	}
	for name, call := range calls {
		wantError(t, name, call(), context.Canceled)
	}

	wantFound(t, p.b, "key", token, ann)
	wantAccount(t, p.b, core.Account{User: ann, PasswordHash: "hash of ann"})
	wantGone(t, p.b, "issued")
	wantGone(t, p.b, "reused")
	wantNobody(t, p, "bob")
	// The handle is still usable.
	p.issue(t, tokenOf(ann, "issued"))
	wantFound(t, p.a, "issued", tokenOf(ann, "issued"), ann)
}

// contextEnds ends the context at moments spread over the duration of the call.
func contextEnds(t *testing.T, p pair) {
	began := time.Now()
	register := func(ctx context.Context, name string) error {
		_, err := p.a.CreateUser(ctx, newUser(name), func(user core.User) (core.Token, error) {
			return tokenOf(user, "key of "+name), nil
		}, nil)
		return err
	}
	if err := register(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)

	const rounds = 40
	for i := range rounds {
		name := fmt.Sprintf("user %d", i)
		ctx, cancel := context.WithTimeout(t.Context(), 2*whole*time.Duration(i)/rounds)
		err := register(ctx, name)
		cancel()
		if err == nil {
			if _, err := p.b.Account(t.Context(), name); err != nil {
				t.Errorf("round %d: user that was acknowledged: %v", i, err)
			}
			if err := find(t.Context(), p.b, "key of "+name); err != nil {
				t.Errorf("round %d: token that was acknowledged: %v", i, err)
			}
			continue
		}
		wantError(t, "create user", err, context.DeadlineExceeded)
		wantGone(t, p.b, "key of "+name)
		wantNobody(t, p, name)
	}
}
