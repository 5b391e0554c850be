package live_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
)

// TestReplacedFile puts another file in the place of an open one, or removes it: nothing
// that was read from, or written to, either of them is acknowledged any more, even if the
// first one comes back, since connections to both may be open.
func TestReplacedFile(t *testing.T) {
	mustMakeFile := func(t *testing.T, path, mode string) {
		t.Helper()
		mustMake(t, "sqlite", "file:"+path+"?_pragma=journal_mode("+mode+")", "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "datetime", djangotest.UsersDDL, djangotest.KnoxDDL)
	}
	for _, mode := range []string{"WAL", "DELETE"} {
		for name, replace := range map[string]func(path, kept string) error{
			"replaced": func(path, kept string) error {
				return errors.Join(os.Rename(path, kept), os.Rename(path+".new", path))
			},
			"emptied": func(path, kept string) error {
				return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path, kept), os.Rename(path+".new", path))
			},
			"removed":       os.Rename,
			"log removed":   func(path, _ string) error { return os.Remove(path + "-wal") },
			"index removed": func(path, _ string) error { return os.Remove(path + "-shm") },
		} {
			if mode != "WAL" && strings.HasSuffix(name, " removed") {
				continue
			}
			t.Run(mode+"/"+name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "django.sqlite3")
				mustMakeFile(t, path, mode)
				mustMakeFile(t, path+".new", mode)
				s := mustOpen(t, path).(*live.Store)
				record(t, s, 1)
				if err := errors.Join(s.Ping(t.Context()), replace(path, path+".kept")); err != nil {
					t.Fatal(err)
				}
				calls := map[string]func() error{
					"ping": func() error { return s.Ping(t.Context()) },
					"read": func() error { _, err := s.Account(t.Context(), "ann"); return err },
					"read all": func() error {
						_, err := s.PasswordFormatCounts(t.Context())
						return err
					},
					"write": func() error {
						return s.Record(t.Context(), core.AuditEntry{At: dayOf(2), Action: core.ActionLogin, Outcome: core.OK})
					},
				}
				for range 2 {
					for call, do := range calls {
						if err := do(); !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "was replaced or removed while it was open") {
							t.Errorf("%s: error %v", call, err)
						}
					}
					if err := os.Rename(path+".kept", path); err != nil && !errors.Is(err, os.ErrNotExist) {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

// TestReplacedDuringATransaction puts another file in the place of an open one while a user is
// being registered: that is not acknowledged.
func TestReplacedDuringATransaction(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["sqlite"](t)
	s := mustOpen(t, d.source).(*live.Store)
	path := strings.TrimPrefix(d.source, "sqlite:")
	_, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, func(u core.User) (core.Token, error) {
		if err := errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
		key := keyOf("first")
		return core.Token{Digest: key.SHA256(), Plaintext: key, UserID: u.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}, nil
	}, nil)
	if !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

// TestLockedFile has Django hold a file's lock for long: checks go on, and all logins fail
// within the same time, none after those before it.
func TestLockedFile(t *testing.T) {
	t.Parallel()
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["sqlite"](t)
	s := mustOpen(t, d.source)
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	issue(t, s, user, "first")
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	theirs, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	exec := func(statement string) {
		if _, err := theirs.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec(`BEGIN IMMEDIATE`)
	const wait = 5 * time.Second
	began := time.Now()
	var logins sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		logins.Go(func() {
			key := keyOf(name)
			token := core.Token{Digest: key.SHA256(), Plaintext: key, UserID: user.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
			if err := s.IssueToken(t.Context(), token, "", 0, nil); !errors.Is(err, core.ErrUnavailable) {
				t.Errorf("login %s: error %v", name, err)
			}
			if took := time.Since(began); took < wait || took > wait+soon {
				t.Errorf("login %s: failed after %v", name, took)
			}
		})
	}
	if err := find(t, s, "first"); err != nil {
		t.Errorf("a check meanwhile: %v", err)
	}
	logins.Wait()
	exec(`ROLLBACK`)
	issue(t, s, user, "second")
	if err := find(t, s, "second"); err != nil {
		t.Errorf("a check after that: %v", err)
	}
}

// TestOpenBesideWriters opens a file that others lock all the time, as Django does for each of its commits.
func TestOpenBesideWriters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	mustMake(t, "sqlite", "file:"+path, "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "datetime", djangotest.UsersDDL, djangotest.KnoxDDL)
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	theirs, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := theirs.ExecContext(t.Context(), `BEGIN EXCLUSIVE`); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(3 * time.Millisecond)
			if _, err := theirs.ExecContext(t.Context(), `COMMIT`); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(3 * time.Millisecond)
		}
	})
	for range 20 {
		s, err := live.Open(t.Context(), path, tables.Mapping{})
		if err != nil {
			t.Errorf("open: %v", err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	writer.Wait()
}

// TestOpenAfterACrash opens a file that a process was writing to when it was killed, in SQLite's default journal mode, as Django has it.
func TestOpenAfterACrash(t *testing.T) {
	folder := t.TempDir()
	busy, path := filepath.Join(folder, "busy.sqlite3"), filepath.Join(folder, "django.sqlite3")
	mustMake(t, "sqlite", "file:"+busy, "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "datetime", djangotest.UsersDDL, djangotest.KnoxDDL, `CREATE TABLE kept (n integer)`, `INSERT INTO kept VALUES (1)`)
	db, err := sql.Open("sqlite", "file:"+busy)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range []string{`PRAGMA cache_size = 1`, `BEGIN`, `DELETE FROM kept`,
		`CREATE TABLE more AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT hex(randomblob(100)) FROM n`} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range []string{"", "-journal"} {
		content, err := os.ReadFile(busy + suffix)
		if err == nil {
			err = os.WriteFile(path+suffix, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, path)
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil); err != nil {
		t.Error(err)
	}
	d := database{driver: "sqlite", dsn: "file:" + path, source: path}
	if n := d.count(t, `SELECT count(*) FROM kept`); n != 1 {
		t.Errorf("%d rows are kept", n)
	}
}

// TestLinkedFile opens a database with two names: each would have a log of its own.
func TestLinkedFile(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["sqlite"](t)
	path := strings.TrimPrefix(d.source, "sqlite:")
	if err := os.Link(path, path+".linked"); err != nil {
		t.Fatal(err)
	}
	s, err := live.Open(t.Context(), d.source, tables.Mapping{})
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "hard links") {
		t.Errorf("error %v", err)
	}
}
