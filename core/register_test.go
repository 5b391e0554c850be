package core_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// cramped is a store with no room for any user.
type cramped struct{ core.Store }

func (cramped) KeepsPlaintext() bool          { return false }
func (cramped) Caveats() []string             { return nil }
func (cramped) CheckPolicy(core.Policy) error { return nil }
func (cramped) CheckUser(core.NewUser) error  { return fmt.Errorf("%w: no room", core.ErrInvalidUser) }

// TestRegisterWithoutRoom has no hasher: what a store has no room for is not hashed.
func TestRegisterWithoutRoom(t *testing.T) {
	s := cramped{sqlitetest.MustOpen(t)}
	engine := core.New(core.Config{Backend: core.Backend{Store: s, Plaintext: s}})
	_, err := engine.Register(t.Context(), fixed, core.Registration{Username: "john", Password: "secret"})
	wantKind(t, err, core.KindInvalidUser)
	_, err = engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "john", Password: "secret"})
	wantKind(t, err, core.KindInvalidUser)
}

// evictedHasher has the first who wants a hash make way for others.
type evictedHasher struct {
	core.Hasher
	hashed bool
}

func (h *evictedHasher) Hash(ctx context.Context, plain string) (string, error) {
	if !h.hashed {
		h.hashed = true
		return "", &core.Error{Kind: core.KindOverloaded}
	}
	return h.Hasher.Hash(ctx, plain)
}

// TestRegistrationThatMakesWay checks that a registration that has to make way for the clients
// of others is not counted.
func TestRegistrationThatMakesWay(t *testing.T) {
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	s := core.New(core.Config{Backend: store.Backend(), Hasher: &evictedHasher{Hasher: passwords}, DatabaseKey: make([]byte, core.DatabaseKeySize)})
	s.SetLoginLimits(&core.LoginLimits{Limiter: store, Registrations: core.Limit{Burst: 1, Window: time.Hour}})
	ctx := from(t, "192.0.2.1")
	for _, want := range []core.Kind{core.KindOverloaded, core.KindThrottled} {
		_, err := s.Register(ctx, fixed, core.Registration{Username: "john", Password: "secret"})
		if want == core.KindThrottled && err == nil {
			_, err = s.Register(ctx, fixed, core.Registration{Username: "mary", Password: "secret"})
		}
		wantKind(t, err, want)
		if account, err := store.Account(t.Context(), "john"); want == core.KindThrottled && (err != nil || account.Username != "john") {
			t.Error("refused after it: ", err)
		}
	}
}
