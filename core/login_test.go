package core_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
)

// interruptedHasher runs a function after each check of a password.
type interruptedHasher struct {
	core.Hasher
	checked func()
}

func (h *interruptedHasher) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	ok, rehash, err = h.Hasher.Check(ctx, username, encoded, plain)
	h.checked()
	return ok, rehash, err
}

func newInterruptedWorld(t *testing.T, iterations int) (*world, *interruptedHasher) {
	t.Helper()
	w := newWorld(t, true)
	w.user(t, "john")
	inner, err := hashing.NewDjangoHasher(iterations)
	if err != nil {
		t.Fatal(err)
	}
	h := &interruptedHasher{Hasher: inner, checked: func() {}}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	backend := core.Backend{Store: w.store, Accounts: w.store.(core.AccountStore), Auditor: w.store.(core.Auditor)}
	w.Service = core.New(core.Config{Backend: backend, Hasher: h, Sealer: sealer})
	return w, h
}

// TestPasswordChangedDuringLogin changes the password and revokes all tokens after a login
// has checked the old password: the login gets no token.
func TestPasswordChangedDuringLogin(t *testing.T) {
	t.Parallel()
	for _, p := range []core.Policy{fixed, reusing} {
		w, h := newInterruptedWorld(t, 1)
		h.checked = func() {
			h.checked = func() {}
			user, err := w.User(t.Context(), "john")
			if err == nil {
				err = w.SetPassword(t.Context(), user, "another", false)
			}
			if err == nil {
				_, err = w.RevokeTokens(t.Context(), user, core.DefaultRealm)
			}
			if err != nil {
				t.Error(err)
			}
		}
		_, err := w.Login(t.Context(), p, "john", "secret")
		wantKind(t, err, core.KindInvalidCredentials)
		entries, err := w.store.(core.Auditor).AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionLogin}, 2)
		if err != nil || len(entries) != 1 || entries[0].Outcome == core.OK || entries[0].Token != "" {
			t.Errorf("%s: audit entries %+v, error %v; want one of a failed login without a token", p.Issuer, entries, err)
		}
		if _, err := w.Login(t.Context(), p, "john", "another"); err != nil {
			t.Errorf("%s: the new password: %v", p.Issuer, err)
		}
	}
}

// TestPasswordKeepsChanging replaces the hash during each attempt: the login fails with an
// error that allows a retry.
func TestPasswordKeepsChanging(t *testing.T) {
	t.Parallel()
	w, h := newInterruptedWorld(t, 1)
	h.checked = func() {
		account, err := w.store.Account(t.Context(), "john")
		if err == nil {
			var encoded string
			if encoded, err = h.Hash(t.Context(), "secret"); err == nil {
				err = w.store.UpdatePassword(t.Context(), account.ID, account.PasswordHash, encoded, false, nil)
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
	_, err := w.Login(t.Context(), fixed, "john", "secret")
	wantKind(t, err, core.KindUnavailable)
	if !errors.Is(err, core.ErrPasswordChanged) {
		t.Errorf("cause %v", err)
	}
}

// TestLoginsWhileAHashIsReplaced makes parallel logins that each replace a weak hash: all
// succeed.
func TestLoginsWhileAHashIsReplaced(t *testing.T) {
	t.Parallel()
	w, h := newInterruptedWorld(t, 2) // more than the stored hash has
	const logins = 2
	var together sync.WaitGroup
	together.Add(logins)
	var mu sync.Mutex
	waiting := logins
	h.checked = func() {
		mu.Lock()
		again := waiting == 0
		if !again {
			waiting--
		}
		mu.Unlock()
		if !again { // nobody replaces the hash before both have checked it
			together.Done()
			together.Wait()
		}
	}
	var all sync.WaitGroup
	for range logins {
		all.Go(func() {
			if _, err := w.Login(t.Context(), fixed, "john", "secret"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
