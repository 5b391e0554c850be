package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/storetest/internal/suite"
)

func contexts() []testCase {
	return []testCase{
		{"a call with a context that is over does nothing", contextOver},
		{"a call whose context ends is done whole or not at all", contextEnds},
	}
}

func contextOver(t *testing.T, p suite.Pair) {
	ann := p.Add(t, suite.NewUser("ann"))
	token := suite.ReusableOf(ann, "key", time.Hour)
	p.Issue(t, token)
	over, cancel := context.WithCancel(t.Context())
	cancel()

	calls := map[string]func() error{
		"CreateUser": func() error {
			_, err := p.A.CreateUser(over, suite.NewUser("bob"), nil, nil)
			return err
		},
		"Account": func() error {
			_, err := p.A.Account(over, "ann")
			return err
		},
		"IssueToken": func() error { return p.A.IssueToken(over, suite.TokenOf(ann, "issued"), "", 0, nil) },
		"ReuseToken": func() error {
			_, err := p.A.ReuseToken(over, suite.ReusableOf(ann, "reused", 2*time.Hour), "", suite.Noon(), nil)
			return err
		},
		"FindToken":    func() error { return suite.Find(over, p.A, "key") },
		"ExtendExpiry": func() error { return p.A.ExtendExpiry(over, token.Digest, suite.Noon().Add(3*time.Hour), suite.Noon()) },
		"DeleteToken":  func() error { return p.A.DeleteToken(over, token.Digest, nil) },
		"DeleteUserTokens": func() error {
			_, err := p.A.DeleteUserTokens(over, ann.ID, suite.Realm, nil)
			return err
		},
		"UpdatePassword": func() error { return p.A.UpdatePassword(over, ann.ID, "hash of ann", "new", false, nil) },
		"Ping":           func() error { return p.A.Ping(over) },
	}
	for name, call := range calls {
		suite.WantError(t, name, call(), context.Canceled)
	}

	suite.WantFound(t, p.B, "key", token, ann)
	suite.WantAccount(t, p.B, core.Account{User: ann, PasswordHash: "hash of ann"})
	suite.WantGone(t, p.B, "issued")
	suite.WantGone(t, p.B, "reused")
	suite.WantNobody(t, p, "bob")
	// The handle is still usable.
	p.Issue(t, suite.TokenOf(ann, "issued"))
	suite.WantFound(t, p.A, "issued", suite.TokenOf(ann, "issued"), ann)
}

// contextEnds ends the context at moments spread over the duration of the call.
func contextEnds(t *testing.T, p suite.Pair) {
	began := time.Now()
	register := func(ctx context.Context, name string) error {
		_, err := p.A.CreateUser(ctx, suite.NewUser(name), func(user core.User) (core.Token, error) {
			return suite.TokenOf(user, "key of "+name), nil
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
			if _, err := p.B.Account(t.Context(), name); err != nil {
				t.Errorf("round %d: user that was acknowledged: %v", i, err)
			}
			if err := suite.Find(t.Context(), p.B, "key of "+name); err != nil {
				t.Errorf("round %d: token that was acknowledged: %v", i, err)
			}
			continue
		}
		suite.WantError(t, "create user", err, context.DeadlineExceeded)
		suite.WantGone(t, p.B, "key of "+name)
		suite.WantNobody(t, p, name)
	}
}
