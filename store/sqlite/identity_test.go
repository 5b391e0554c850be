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

// openFiles opens a store with a user and a token.
func openFiles(t *testing.T) (s *Store, path string, user core.User, presented core.Presented) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "auth.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	user, err = s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	presented = "0123456789abcdef"
	token := core.Token{Digest: presented.SHA256(), UserID: user.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
	if err := s.IssueToken(t.Context(), token, "!", nil); err != nil {
		t.Fatal(err)
	}
	return s, path, user, presented
}

// TestReplacedDuringATransaction puts another file in the place of the database while a
// transaction is under way: it is not acknowledged.
func TestReplacedDuringATransaction(t *testing.T) {
	s, path, _, _ := openFiles(t)
	err := s.write(t.Context(), func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens`); err != nil {
			return err
		}
		return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
	})
	if !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

// TestFilesOfTheCache moves the index away: the tokens in memory are accepted for a moment,
// and then no more.
func TestFilesOfTheCache(t *testing.T) {
	s, path, _, presented := openFiles(t)
	find := func() error {
		_, _, err := s.FindToken(t.Context(), core.DefaultRealm, presented)
		return err
	}
	for range 3 {
		if err := find(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path+"-shm", path+".moved"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for find() == nil {
		if time.Now().After(deadline) {
			t.Fatal("the token is still accepted")
		}
		time.Sleep(checkInterval / 10)
	}
	if err := find(); !errors.Is(err, core.ErrUnavailable) {
		t.Error(err)
	}
}

// TestRescuedLog removes the log: what is in it is written into the database.
func TestRescuedLog(t *testing.T) {
	s, path, _, _ := openFiles(t)
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // after the log is written
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "alone.db")
	if err := os.WriteFile(alone, content, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), alone, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Account(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
}
