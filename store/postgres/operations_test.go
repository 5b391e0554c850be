package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/store/postgres"
)

// noon is the time of everything in these tests.
func noon() time.Time { return time.Date(2001, time.June, 16, 12, 0, 0, 0, time.UTC) }

// operation is one call of a store that writes, prepared to have one effect. Calls of
// the same kind are numbered.
type operation struct {
	// run makes the call and checks its result.
	run func(ctx context.Context, s *postgres.Store) error
	// done reports whether the effect exists, once and completely.
	done func(t *testing.T, s *postgres.Store) bool
}

// operations returns each kind of call, by name. What a call needs is created through
// the given store.
func operations() map[string]func(t *testing.T, s *postgres.Store, number int) operation {
	return map[string]func(*testing.T, *postgres.Store, int) operation{
		"CreateUser":       createUser,
		"IssueToken":       issueToken,
		"ReuseToken":       reuseToken,
		"ExtendExpiry":     moveExpiry,
		"DeleteToken":      deleteToken,
		"DeleteUserTokens": deleteUserTokens,
		"UpdatePassword":   updatePassword,
		"SetCutover":       setCutover,
	}
}

// someone creates a user with a token that has the user's name and expires an hour
// after noon.
func someone(t *testing.T, s *postgres.Store, number int) (core.User, core.Token) {
	t.Helper()
	var token core.Token
	name := fmt.Sprintf("someone %d", number)
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: name, PasswordHash: "old"}, func(user core.User) (core.Token, error) {
		token = tokenOf(user, name)
		return token, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return user, token
}

// tokenOf returns a token that expires an hour after noon.
func tokenOf(user core.User, key string) core.Token {
	return core.Token{
		Digest: core.Presented(key).SHA256(), UserID: user.ID, Realm: "default", Issuer: "some-api",
		CreatedAt: noon(), ExpiresAt: noon().Add(time.Hour), Sliding: time.Hour,
	}
}

// there reports whether a token is found.
func there(t *testing.T, s *postgres.Store, key string) bool {
	t.Helper()
	_, _, err := s.FindToken(t.Context(), "default", core.Presented(key))
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		t.Errorf("find token %q: %v", key, err)
	}
	return err == nil
}

func createUser(_ *testing.T, _ *postgres.Store, number int) operation {
	name := fmt.Sprintf("new %d", number)
	var minted []string
	var given core.User
	return operation{
		run: func(ctx context.Context, s *postgres.Store) (err error) {
			given, err = s.CreateUser(ctx, core.NewUser{Username: name, PasswordHash: "salted", CreatedAt: noon()}, func(user core.User) (core.Token, error) {
				minted = append(minted, fmt.Sprintf("%s minted %d", name, len(minted)))
				return tokenOf(user, minted[len(minted)-1]), nil
			}, nil)
			return err
		},
		done: func(t *testing.T, s *postgres.Store) bool {
			account, err := s.Account(t.Context(), name)
			if err != nil && !errors.Is(err, core.ErrNotFound) {
				t.Errorf("account: %v", err)
			}
			done := err == nil
			if done && given.ID != 0 && account.ID != given.ID {
				t.Errorf("user %d was given, user %d is there", given.ID, account.ID)
			}
			for i, key := range minted {
				// The caller's token is the one that was minted last.
				if want := done && i == len(minted)-1; there(t, s, key) != want {
					t.Errorf("token %d of %d is there: %t", i, len(minted), !want)
				}
			}
			return done
		},
	}
}

func issueToken(t *testing.T, s *postgres.Store, number int) operation {
	user, _ := someone(t, s, number)
	key := fmt.Sprintf("issued %d", number)
	return operation{
		run: func(ctx context.Context, s *postgres.Store) error {
			return s.IssueToken(ctx, tokenOf(user, key), "", 0, nil)
		},
		done: func(t *testing.T, s *postgres.Store) bool { return there(t, s, key) },
	}
}

func reuseToken(t *testing.T, s *postgres.Store, number int) operation {
	user, _ := someone(t, s, number)
	key := fmt.Sprintf("fresh %d", number)
	fresh := tokenOf(user, key)
	fresh.Reusable = true
	return operation{
		run: func(ctx context.Context, s *postgres.Store) error {
			got, err := s.ReuseToken(ctx, fresh, "", noon(), nil)
			if err == nil && string(got.Digest) != string(fresh.Digest) {
				err = errors.New("another token was given")
			}
			return err
		},
		done: func(t *testing.T, s *postgres.Store) bool { return there(t, s, key) },
	}
}

func moveExpiry(t *testing.T, s *postgres.Store, number int) operation {
	user, token := someone(t, s, number)
	to := token.ExpiresAt.Add(time.Hour)
	return operation{
		run: func(ctx context.Context, s *postgres.Store) error {
			return s.ExtendExpiry(ctx, token.Digest, to, noon())
		},
		done: func(t *testing.T, s *postgres.Store) bool {
			got, _, err := s.FindToken(t.Context(), "default", core.Presented(user.Username))
			if err != nil {
				t.Errorf("find token: %v", err)
			}
			return got.ExpiresAt.Equal(to)
		},
	}
}

func deleteToken(t *testing.T, s *postgres.Store, number int) operation {
	user, token := someone(t, s, number)
	return operation{
		run:  func(ctx context.Context, s *postgres.Store) error { return s.DeleteToken(ctx, token.Digest, nil) },
		done: func(t *testing.T, s *postgres.Store) bool { return !there(t, s, user.Username) },
	}
}

func deleteUserTokens(t *testing.T, s *postgres.Store, number int) operation {
	user, _ := someone(t, s, number)
	return operation{
		run: func(ctx context.Context, s *postgres.Store) error {
			n, err := s.DeleteUserTokens(ctx, user.ID, "default", nil)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d tokens were deleted", n)
			}
			return err
		},
		done: func(t *testing.T, s *postgres.Store) bool { return !there(t, s, user.Username) },
	}
}

func updatePassword(t *testing.T, s *postgres.Store, number int) operation {
	user, _ := someone(t, s, number)
	return operation{
		run: func(ctx context.Context, s *postgres.Store) error {
			return s.UpdatePassword(ctx, user.ID, "old", "new", false, nil)
		},
		done: func(t *testing.T, s *postgres.Store) bool {
			account, err := s.Account(t.Context(), user.Username)
			if err != nil {
				t.Errorf("account: %v", err)
			}
			return account.PasswordHash == "new"
		},
	}
}

func setCutover(t *testing.T, s *postgres.Store, number int) operation {
	state := func(s *postgres.Store) cutover.State {
		state, err := s.CutoverState(t.Context())
		if err != nil {
			t.Errorf("cutover: %v", err)
		}
		return state
	}
	before := state(s)
	next := cutover.State{ChangedAt: noon(), Key: bytes.Repeat([]byte{1}, cutover.KeySize)}
	next.Set(cutover.Rule{Endpoint: fmt.Sprint("endpoint ", number)})
	entry := core.AuditEntry{At: noon(), Action: core.ActionCutover, Outcome: core.OK, Detail: fmt.Sprint("change ", number)}
	return operation{
		run: func(ctx context.Context, s *postgres.Store) error {
			return s.SetCutover(ctx, before.Version, next, &entry)
		},
		done: func(t *testing.T, s *postgres.Store) bool {
			entries, err := s.AuditEntries(t.Context(), core.AuditFilter{Action: core.ActionCutover}, 1000)
			if err != nil {
				t.Errorf("audit: %v", err)
			}
			n := 0
			for _, e := range entries {
				if e.Detail == entry.Detail {
					n++
				}
			}
			now := state(s)
			done := now.Version == before.Version+1 && len(now.Changed(next)) == 0
			if !done && now.Version != before.Version || done != (n == 1) || n > 1 {
				t.Errorf("version %d after %d, with %d entries", now.Version, before.Version, n)
			}
			return done
		},
	}
}
