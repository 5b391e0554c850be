package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/dbfile"
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
	if err := s.IssueToken(t.Context(), token, "!", 0, nil); err != nil {
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

// TestReplacedDatabase puts another database in the place of an open one, or nothing. What was
// acknowledged is in the file that was moved away, even if it comes back; and its log is not
// replayed into what has its name.
func TestReplacedDatabase(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		s, path, _, _ := openFiles(t)
		other := filepath.Join(t.TempDir(), "other.db")
		o, err := Open(t.Context(), other, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ben", "eve"} {
			if _, err := o.CreateUser(t.Context(), core.NewUser{Username: name, PasswordHash: "!"}, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		moved := path + ".moved"
		if err := os.Rename(path, moved); err != nil {
			t.Fatal(err)
		}
		if replaced {
			if err := os.Rename(other, path); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("replaced %t: %v", replaced, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if replaced {
			has(t, path, "eve", "ann")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Rename(moved, path); err != nil {
			t.Fatal(err)
		}
		has(t, path, "ann", "eve")
	}
}

// has checks that a database has one user, and not another.
func has(t *testing.T, path, one, other string) {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Account(t.Context(), one); err != nil {
		t.Errorf("%s: %v", one, err)
	}
	if _, err := s.Account(t.Context(), other); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("%s: %v", other, err)
	}
}

// TestMissingDatabase opens a database whose log is left alone, as after a crash: the log is
// not taken for that of a new database.
func TestMissingDatabase(t *testing.T) {
	s, path, _, _ := openFiles(t)
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file, link := filepath.Join(folder, "auth.db"), filepath.Join(t.TempDir(), "link.db")
	if err := errors.Join(os.WriteFile(file+"-wal", log, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link} {
		if s, err := Open(t.Context(), path, Options{}); err == nil {
			s.Close()
			t.Errorf("%s was opened", path)
		}
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link} {
		if s, err := Open(t.Context(), path, Options{}); err == nil {
			s.Close()
			t.Errorf("%s was opened, with its file empty", path)
		}
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	has(t, link, "ann", "eve")
}

// TestLinkedDatabase opens a database with two names: each would have a log of its own.
func TestLinkedDatabase(t *testing.T) {
	s, path, _, _ := openFiles(t)
	if err := errors.Join(s.Close(), os.Link(path, path+".linked")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".linked"} {
		if s, err := Open(t.Context(), name, Options{}); !errors.Is(err, dbfile.ErrLinked) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				s.Close()
			}
		}
	}
	// Backups may have several names, as rsync and cp make them.
	restored := filepath.Join(t.TempDir(), "restored.db")
	if _, err := Restore(t.Context(), restored, path, RestoreOptions{}); err != nil {
		t.Error(err)
	}
	if err := os.Remove(path + ".linked"); err != nil {
		t.Fatal(err)
	}
	has(t, path, "ann", "eve")
}
