package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/daemon"
	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// names lists a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

// raw runs SQL on the file like another program.
func raw(t *testing.T, path string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"authcompat.db", "a b?c#d%20é&mode=memory;'.db", ":memory:.db"} {
		path := filepath.Join(dir, name)
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Error(err)
			} else if info.Mode() != 0o600 {
				t.Errorf("%s%s has mode %v", name, suffix, info.Mode())
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := names(t, dir); !slices.Equal(got, []string{name}) {
			t.Errorf("files after the end: %q", got)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReopen checks that acknowledged changes exist after the file is opened again,
// also under a relative path.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "authcompat.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "hash"}, func(user core.User) (core.Token, error) {
		return core.Token{Digest: core.Presented("key").SHA256(), UserID: user.ID, Realm: "default"}, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	t.Chdir(dir)
	s = sqlitetest.MustOpenFile(t, "authcompat.db")
	t.Chdir(t.TempDir()) // connections opened later have to use the same file
	if _, found, err := s.FindToken(t.Context(), "default", "key"); err != nil || found.ID != user.ID {
		t.Errorf("found user %d, %v", found.ID, err)
	}
	if err := s.UpdatePassword(t.Context(), user.ID, "hash", "new", false, nil); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	inDir := func(name string) func(*testing.T, string) string {
		return func(_ *testing.T, dir string) string { return filepath.Join(dir, name) }
	}
	withSQL := func(statements ...string) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "x.db")
			raw(t, path, statements...).Close()
			return path
		}
	}
	tests := []struct {
		name string
		make func(t *testing.T, dir string) (path string)
		want string
	}{
		{"no path", func(*testing.T, string) string { return "" }, "a store needs the path of a file"},
		{"memory", func(*testing.T, string) string { return ":memory:" }, "a store needs the path of a file"},
		{"a directory", func(_ *testing.T, dir string) string { return dir }, "it is a directory"},
		{"no such directory", inDir("none/x.db"), `/none" does not exist`},
		{"a file as directory", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "file")
			write(t, path, nil)
			return path + "/x.db"
		}, "not a directory"},
		{"a name too long", inDir(strings.Repeat("x", 300)), "file name too long"},
		{"a link to nowhere", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "x.db")
			if err := os.Symlink(filepath.Join(dir, "none", "y.db"), path); err != nil {
				t.Fatal(err)
			}
			return path
		}, "it, or its directory, can't be read and written: "},
		{"text", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "x.db")
			write(t, path, []byte("listen: 127.0.0.1:8000\n"))
			return path
		}, "it is not a SQLite database: "},
		{"another program's tables", withSQL(`CREATE TABLE auth_user (id)`), "it is a database of another program"},
		{"another program's mark", withSQL(`PRAGMA application_id = 1`), "it is a database of another program"},
		{"a newer schema", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "x.db")
			if err := sqlitetest.MustOpenFile(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			raw(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (1000, 1)`).Close()
			return path
		}, "it is of a newer authcompat (schema 1000; this one knows 28)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := test.make(t, dir)
			before, _ := os.ReadFile(path)
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			wantLine(t, err, path, test.want)
			after, _ := os.ReadFile(path)
			if !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

// asNobody runs the test in a process of a user without any rights.
func asNobody(t *testing.T) {
	t.Helper()
	folder, err := os.MkdirTemp("", "authcompat-test-") // other users can't enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(folder, "sqlite.test")
	if err := errors.Join(os.Chmod(folder, 0o755), os.WriteFile(exe, binary, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.SysProcAttr = "/", daemon.Nobody().Attributes(0)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestOpenUnreadable is separate, because modes do not apply to root.
func TestOpenUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	path := filepath.Join(t.TempDir(), "x.db")
	write(t, path, nil)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	wantLine(t, err, path, "it, or its directory, can't be read and written: ")
}

func TestOpenLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	other := raw(t, path, `PRAGMA journal_mode = DELETE`, `BEGIN EXCLUSIVE`, `CREATE TABLE t (c)`)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{Wait: 30 * time.Millisecond})
	wantLine(t, err, path, "it is locked by another process: ")
	if !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("error %v is not ErrUnavailable", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := sqlite.Open(ctx, path, sqlite.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a context that ends: error %v", err)
	}

	opened := make(chan error)
	go func() {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

// TestOpenTogether opens a new file many times at once.
func TestOpenTogether(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "x.db")
		stores := make([]*sqlite.Store, 6)
		var done sync.WaitGroup
		for i := range stores {
			done.Go(func() {
				var err error
				if stores[i], err = sqlite.Open(t.Context(), path, sqlite.Options{}); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if t.Failed() {
			return
		}
		if _, err := stores[0].CreateUser(t.Context(), core.NewUser{Username: "ann"}, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, s := range stores {
			if _, err := s.Account(t.Context(), "ann"); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// write creates a file.
func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, fs.FileMode(0o600)); err != nil {
		t.Fatal(err)
	}
}

// wantLine checks that the error is a single line that names the file and contains
// want.
func wantLine(t *testing.T, err error, path, want string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	t.Log(err)
	if text := err.Error(); !strings.HasPrefix(text, `database "`+path+`": `) || !strings.Contains(text, want) || strings.Contains(text, "\n") {
		t.Errorf("error %q, want %q", text, want)
	}
}
