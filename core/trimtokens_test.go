package core_test

import (
	"context"
	"slices"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
)

// crowded is a store of users with very many tokens, whose calls it keeps in order.
type crowded struct {
	core.Store
	core.AccountStore
	core.Admin
	many  int // how many more steps there are tokens for
	calls []string
}

func (s *crowded) TrimTokens(context.Context, int64, string, int) (int, error) {
	s.calls = append(s.calls, "some")
	if s.many--; s.many < 0 {
		return 0, nil
	}
	return 100, nil
}

// Users is that of both.
func (s *crowded) Users(ctx context.Context, f core.UserFilter, limit int) ([]core.User, error) {
	return s.Admin.Users(ctx, f, limit)
}

func (s *crowded) DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *core.AuditEntry) (int, error) {
	s.calls = append(s.calls, "all")
	return s.Store.DeleteUserTokens(ctx, userID, realm, audit)
}

func (s *crowded) DeleteUser(ctx context.Context, userID int64, audit *core.AuditEntry) error {
	s.calls = append(s.calls, "all")
	return s.Admin.DeleteUser(ctx, userID, audit)
}

func (s *crowded) RemoveUser(ctx context.Context, userID int64, passwordHash string, audit *core.AuditEntry) error {
	s.calls = append(s.calls, "all")
	return s.AccountStore.RemoveUser(ctx, userID, passwordHash, audit)
}

func (s *crowded) ChangePassword(ctx context.Context, c core.PasswordChange, audit *core.AuditEntry) (int, error) {
	s.calls = append(s.calls, "all")
	return s.AccountStore.ChangePassword(ctx, c, audit)
}

// TestManyTokensEndInSteps has whatever ends all tokens of a user end very many in steps, between which others write: at once,
// it would take longer than the store has time for, each time, so that they never ended.
func TestManyTokensEndInSteps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(context.Context, *core.Service, *crowded, core.Session, core.Confirmation) (int, error)
		want int // tokens
	}{
		"logout of all": {func(ctx context.Context, w *core.Service, _ *crowded, s core.Session, _ core.Confirmation) (int, error) {
			return 201, w.LogoutAll(ctx, s)
		}, 201},
		"revocation": {func(ctx context.Context, w *core.Service, _ *crowded, s core.Session, _ core.Confirmation) (int, error) {
			return w.RevokeTokens(ctx, s.User, core.DefaultRealm)
		}, 201},
		"another password": {func(ctx context.Context, w *core.Service, _ *crowded, _ core.Session, c core.Confirmation) (int, error) {
			return w.ChangePassword(ctx, fixed, c, "new secret", true)
		}, 201},
		"removed account": {func(ctx context.Context, w *core.Service, _ *crowded, _ core.Session, c core.Confirmation) (int, error) {
			return 201, w.DeleteAccount(ctx, fixed, c)
		}, 201},
		"deleted user": {func(ctx context.Context, w *core.Service, store *crowded, s core.Session, _ core.Confirmation) (int, error) {
			return 201, w.DeleteUser(ctx, store, s.User)
		}, 201},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, false)
			w.user(t, "ann")
			s := w.login(t, fixed, "ann")
			store := &crowded{Store: w.store, AccountStore: w.store.(core.AccountStore), Admin: w.store.(core.Admin), many: 2}
			hasher, err := hashing.NewDjangoHasher(1)
			if err != nil {
				t.Fatal(err)
			}
			over := core.New(core.Config{Backend: core.Backend{Store: store, Accounts: store}, Hasher: hasher})
			confirmed, err := over.ConfirmPassword(t.Context(), fixed, s.User, "secret")
			if err != nil {
				t.Fatal(err)
			}
			n, err := c.end(t.Context(), over, store, s, confirmed)
			if err != nil || n != c.want {
				t.Errorf("%d, %v", n, err)
			}
			if !slices.Equal(store.calls, []string{"some", "some", "some", "all"}) {
				t.Errorf("it ended %q", store.calls)
			}
		})
	}
}
