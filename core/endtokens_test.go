package core_test

import (
	"context"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// tenacious is a store of which somebody makes use after each step of an operator that writes to a user.
type tenacious struct {
	core.Store
	core.AccountStore
	meanwhile func()
}

func (s tenacious) UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool, audit *core.AuditEntry) error {
	err := s.Store.UpdatePassword(ctx, userID, old, encoded, rehash, audit)
	s.meanwhile()
	return err
}

func (s tenacious) DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *core.AuditEntry) (int, error) {
	n, err := s.Store.DeleteUserTokens(ctx, userID, realm, audit)
	s.meanwhile()
	return n, err
}

func (s tenacious) ChangePassword(ctx context.Context, c core.PasswordChange, audit *core.AuditEntry) (int, error) {
	n, err := s.AccountStore.ChangePassword(ctx, c, audit)
	s.meanwhile()
	return n, err
}

// TestSetPasswordAndEndTokens has somebody who has tokens of a user, in one realm or in two, change the password by
// each that is good still, and log in with that, between any two steps of an operator's change: in the end nobody has a token, and the operator's
// password is the user's.
func TestSetPasswordAndEndTokens(t *testing.T) {
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	other := fixed
	other.Realm, other.Issuer = "other", "other"
	for name, policies := range map[string][]core.Policy{"no token": nil, "one realm": {fixed}, "two realms": {fixed, other}} {
		t.Run(name, func(t *testing.T) {
			store := sqlitetest.MustOpen(t)
			thief := core.New(core.Config{Backend: core.Backend{Store: store, Accounts: store}, Hasher: hasher})
			user, err := thief.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "ann", Password: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			var stolen []core.Session
			login := func(p core.Policy, plain string) {
				if session, err := thief.Login(t.Context(), p, "ann", plain); err == nil {
					stolen = append(stolen, session)
				}
			}
			for _, p := range policies {
				login(p, "secret")
			}
			if len(stolen) != len(policies) {
				t.Fatalf("%d tokens", len(stolen))
			}
			busy, tries := false, 0
			meanwhile := func() {
				if busy || tries > 20 {
					return
				}
				busy = true
				tries++
				for _, session := range stolen {
					still := func(ctx context.Context) error {
						_, err := thief.Authenticate(ctx, core.Policy{Realm: session.Token.Realm}, core.Presented(session.Key))
						return err
					}
					confirmed, err := thief.Confirmed(t.Context(), user, user, nil, still)
					if err == nil {
						_, err = thief.ChangePassword(t.Context(), fixed, confirmed, "stolen", false)
					}
					if err == nil {
						for _, p := range policies {
							login(p, "stolen")
						}
					}
				}
				busy = false
			}
			operator := core.New(core.Config{Backend: core.Backend{Store: tenacious{store, store, meanwhile}, Accounts: tenacious{store, store, meanwhile}}, Hasher: hasher})
			if err := operator.SetPasswordAndEndTokens(t.Context(), user, "operator's", false); err != nil {
				t.Fatal(err)
			}
			if tries == 0 || tries > 20 {
				t.Errorf("somebody was there %d times", tries)
			}
			for _, session := range stolen {
				_, err := thief.Authenticate(t.Context(), core.Policy{Realm: session.Token.Realm}, core.Presented(session.Key))
				wantKind(t, err, core.KindTokenUnknown)
			}
			if _, err := thief.Login(t.Context(), fixed, "ann", "operator's"); err != nil {
				t.Error(err)
			}
		})
	}
}
