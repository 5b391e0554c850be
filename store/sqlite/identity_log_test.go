package sqlite

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/store/internal/dbfile"
	"github.com/jmoiron/sqlx"
)

// TestPutBack puts a database back in its place after another one was used there, while a server
// that had it open before is still running: it is as it was.
func TestPutBack(t *testing.T) {
	s, path, _, _ := openFiles(t)
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first one empties the log, or waits until s has
		wrong, err := Open(t.Context(), path, Options{})
		for began := time.Now(); errors.Is(err, errMissing) && time.Since(began) < 20*time.Second; {
			time.Sleep(time.Millisecond)
			wrong, err = Open(t.Context(), path, Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wrong.CreateUser(t.Context(), core.NewUser{Username: rand.Text(), PasswordHash: "!"}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := wrong.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path+".moved", path); err != nil {
		t.Fatal(err)
	}
	has(t, path, "ann", "oops")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	has(t, path, "ann", "oops")
	users := 0
	if err := mustConnect(t, path).GetContext(t.Context(), &users, `SELECT count(*) FROM users`); err != nil || users != 1 {
		t.Errorf("%d users, %v", users, err)
	}
}

func mustConnect(t *testing.T, path string) *sqlx.DB {
	t.Helper()
	db, err := connect(readerDSN(path, DefaultWait), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// needTags skips a test where nothing says whose a log is, but fails it in CI.
func needTags(t *testing.T) {
	t.Helper()
	s, _, _, _ := openFiles(t)
	if _, known := s.files.OwnsLog(); !known {
		testenv.Missing(t, "the file system takes no extended attributes")
	}
}

// TestLogInUse puts another database in the place of one that is open and not used: it can be
// opened once the store has noticed, with nothing of the other's log; and while it has not, it
// is refused and stays as it is.
func TestLogInUse(t *testing.T) {
	needTags(t)
	for _, notices := range []bool{false, true} {
		s, path, _, _ := openFiles(t)
		if !notices {
			s.stop()
			s.looking.Wait()
		}
		other := filepath.Join(t.TempDir(), "other.db")
		o, err := Open(t.Context(), other, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.CreateUser(t.Context(), core.NewUser{Username: "eve", PasswordHash: "!"}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
		if notices {
			has(t, path, "eve", "ann")
			continue
		}
		refused(t, path, dbfile.ErrIndexOfAnother)
		if _, err := Backup(t.Context(), path, path+".backup", BackupOptions{}); !errors.Is(err, dbfile.ErrIndexOfAnother) {
			t.Errorf("backed up: %v", err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the file was changed: %v", err)
		}
	}
}

// TestMovedDuringACommit puts another database in the place of one while its only user writes:
// what was acknowledged comes into the file that was moved away, and the log is emptied, even where
// the log does not say whose it is.
func TestMovedDuringACommit(t *testing.T) {
	for _, says := range []bool{true, false} {
		s, path, _, _ := openFiles(t)
		other, otherPath, _, _ := openFiles(t)
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		if !says {
			forgetOwner(t, path)
		}
		err := s.write(t.Context(), func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO users (username, email, password_hash, created_at, active) VALUES ('late', '', '!', 0, 1)`)
			return errors.Join(err, os.Rename(path, path+".moved"), os.Rename(otherPath, path))
		})
		if !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if dbfile.HasLog(path) {
			t.Error("the log is left")
		}
		has(t, path, "ann", "late")
		hasAlone(t, path+".moved", "ann")
	}
}

// TestMovedAfterOthersWrote puts another database in the place of one that a command has written
// to since its server last looked: that is in the file that was moved away.
func TestMovedAfterOthersWrote(t *testing.T) {
	needTags(t)
	s, path, _, _ := openFiles(t)
	s.stop()
	s.looking.Wait()
	other, otherPath, _, _ := openFiles(t)
	command, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := command.CreateUser(t.Context(), core.NewUser{Username: "late", PasswordHash: "!"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(command.Close(), other.Close(), os.Rename(path, path+".moved"), os.Rename(otherPath, path)); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	has(t, path, "ann", "late")
	hasAlone(t, path+".moved", "late")
}

// hasAlone checks that a file has a user, without what is beside it.
func hasAlone(t *testing.T, path, name string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "alone.db")
	if err := os.WriteFile(alone, content, 0o600); err != nil {
		t.Fatal(err)
	}
	has(t, alone, name, "nobody")
}
