package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

// mustOpenInside opens a store on a new file, with a user who has a token.
func mustOpenInside(t *testing.T) (s *Store, user core.User, token core.Token) {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "authcompat.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	token = core.Token{Digest: core.Presented("key").SHA256(), Realm: core.DefaultRealm, Issuer: "api", CreatedAt: time.Now()}
	user, err = s.CreateUser(t.Context(), core.NewUser{Username: "ann", CreatedAt: time.Now()}, func(u core.User) (core.Token, error) {
		token.UserID = u.ID
		return token, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, user, token
}

// TestCommitFails has a transaction fail at its COMMIT alone: it is not acknowledged.
func TestCommitFails(t *testing.T) {
	s, _, token := mustOpenInside(t)
	err := s.write(t.Context(), func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, deleteToken, []byte(token.Digest)); err != nil {
			return err
		}
		orphan := token
		orphan.Digest, orphan.UserID = core.Presented("orphan").SHA256(), 999
		return addToken(ctx, tx, orphan)
	})
	if err == nil {
		t.Error("acknowledged")
	}
	if _, _, err := s.FindToken(t.Context(), core.DefaultRealm, "key"); err != nil {
		t.Errorf("what was deleted in it: %v", err)
	}
	if _, _, err := s.FindToken(t.Context(), core.DefaultRealm, "orphan"); err == nil {
		t.Error("what was added in it is there")
	}
}

// TestChangeWithoutItsEntry checks that nothing is changed whose audit entry can't be
// written.
func TestChangeWithoutItsEntry(t *testing.T) {
	s, user, token := mustOpenInside(t)
	if _, err := s.writer.Exec(`CREATE TRIGGER audit_is_full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END`); err != nil {
		t.Fatal(err)
	}
	entry := func() *core.AuditEntry {
		return &core.AuditEntry{At: time.Now(), Action: core.ActionLogout, Outcome: core.OK}
	}
	ctx := t.Context()
	issued := token
	issued.Digest = core.Presented("another").SHA256()
	for name, do := range map[string]func() error{
		"delete token":      func() error { return s.DeleteToken(ctx, token.Digest, entry()) },
		"delete all tokens": func() error { _, err := s.DeleteUserTokens(ctx, user.ID, core.DefaultRealm, entry()); return err },
		"issue token":       func() error { return s.IssueToken(ctx, issued, "", 0, entry()) },
		"set active":        func() error { return s.SetActive(ctx, user.ID, false, entry()) },
		"delete user":       func() error { return s.DeleteUser(ctx, user.ID, entry()) },
		"record":            func() error { return s.Record(ctx, *entry()) },
	} {
		if err := do(); err == nil {
			t.Errorf("%s: acknowledged", name)
		}
	}
	if _, found, err := s.FindToken(ctx, core.DefaultRealm, "key"); err != nil || !found.Active {
		t.Errorf("the token and its user: %+v, %v", found, err)
	}
	if _, _, err := s.FindToken(ctx, core.DefaultRealm, "another"); err == nil {
		t.Error("the other token is there")
	}
}

// TestReplacedFile puts another database in the place of an open one: nothing is
// acknowledged from then on, not even the first write.
func TestReplacedFile(t *testing.T) {
	s, user, token := mustOpenInside(t)
	other, _, _ := mustOpenInside(t)
	if err := os.Rename(other.file, s.file); err != nil {
		t.Fatal(err)
	}
	token.Digest = core.Presented("another").SHA256()
	ctx := t.Context()
	for i, do := range []func() error{
		func() error { return s.IssueToken(ctx, token, "", 0, nil) },
		func() error { return s.SetActive(ctx, user.ID, false, nil) },
		func() error { return s.Ping(ctx) },
		func() error { _, _, err := s.FindToken(ctx, core.DefaultRealm, "key"); return err },
		func() error { _, err := s.Account(ctx, "ann"); return err },
	} {
		if err := do(); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

// TestCachedTokenOfAnotherRealm looks a token up in a realm that is not its own, before
// and after it is in the cache.
func TestCachedTokenOfAnotherRealm(t *testing.T) {
	s, _, _ := mustOpenInside(t)
	for i := range 3 {
		if _, _, err := s.FindToken(t.Context(), "another", "key"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("look-up %d in another realm: %v", i, err)
		}
		if _, _, err := s.FindToken(t.Context(), core.DefaultRealm, "key"); err != nil {
			t.Errorf("look-up %d: %v", i, err)
		}
	}
}

// TestUnsynced checks which connections wait for the disk at a commit (https://sqlite.org/pragma.html#pragma_synchronous):
// those of a server's database all do.
func TestUnsynced(t *testing.T) {
	const off, full = 0, 2
	for unsynced, want := range map[bool]int{false: full, true: off} {
		s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), Options{Unsynced: unsynced})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		bulk, err := s.bulk.open()
		if err != nil {
			t.Fatal(err)
		}
		for name, q := range map[string]sqlx.QueryerContext{"writer": s.writer, "keeper": s.keepAlive, "import": bulk} {
			var got int
			if err := sqlx.GetContext(t.Context(), q, &got, `PRAGMA synchronous`); err != nil || got != want {
				t.Errorf("unsynced: %t: %s has synchronous = %d, want %d, error %v", unsynced, name, got, want, err)
			}
		}
	}
}
