package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
)

func TestOpenSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c=d#e%20.db")
	s, err := store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// TestCheck looks at DSNs of stores that are not there, and makes none.
func TestCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	for dsn, want := range map[string]string{
		store.Default:                     "",
		"sqlite:no/such/folder.db":        "",
		"django+sqlite:db.sqlite3":        "",
		"postgres://ann:s3cret@db/auth":   "",
		"postgresql://ann@a:1,b:2/auth":   "",
		"django+postgres://ann@db/auth":   "",
		"sqlite::memory:":                 "a store needs the path of a file: ",
		"django+mysql://ann:s3cret@db/x":  "a Django database is given as ",
		"django+sqlite:":                  "a Django database is given as ",
		"postgres://ann@db/auth?wait=2":   "wait: want ",
		"postgres://a:b@c/s3cret@db/auth": "the URL can't be read: ",
	} {
		if err := store.ValidateDSN(dsn); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", dsn, err, want)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("made: %v, %v", left, err)
	}
	if _, err := store.Open(t.Context(), "django+postgres://ann:12/s3cret@db/auth"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("opened: %v", err)
	}
}

func TestOpenDefault(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := store.Open(t.Context(), store.Default)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := os.Stat("authcompat.db"); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	tests := []struct{ name, dsn, want string }{
		{"nothing", "", "unknown kind of store: "},
		{"a path", "authcompat.db", "unknown kind of store (did you mean sqlite:authcompat.db?): "},
		{"a longer path", "/srv/users.sqlite3", "unknown kind of store (did you mean sqlite:/srv/users.sqlite3?): "},
		{"a host with a password", "ann:s3cret@host.db", "unknown kind of store: "},
		{"keywords that end like a path", "host=h password=s3cret.db", "unknown kind of store: "},
		{"a URL", "mysql://ann:s3cret@localhost/db", `unknown kind of store "mysql": `},
		{"no URL", "ann:s3cret@tcp(localhost)/db", "unknown kind of store: "},
		{"keywords", "host=localhost password=s3cret", "unknown kind of store: "},
		{"keywords with a URL", "password=s3cret url=a://b", "unknown kind of store: "},
		{"another case", "SQLite:s3cret", "unknown kind of store: "},
		{"no path", "sqlite:", "the path is missing: "},
		{"a line end of Windows", "sqlite:users.db\r", "the path after sqlite: has a control character in it, as from a file with the line ends of Windows (CRLF): "},
		{"a space after the path", "sqlite:users.db ", "the path after sqlite: begins or ends with a space: "},
		{"a space before it", "sqlite: users.db", "the path after sqlite: begins or ends with a space: "},
		{"keywords as a path", "sqlite:host=h password=s3cret", "the path after sqlite: has a password in it, as connection strings of PostgreSQL have: "},
		{"a URL as a path", "sqlite:postgres://ann:s3cret@localhost/db", "the path after sqlite: is a URL, and may have a password in it: "},
		{"slashes", "sqlite:///s3cret.db", "no slashes after sqlite: but those of the path: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := store.ValidateDSN(test.dsn); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("checked: %v", err)
			}
			s, err := store.Open(t.Context(), test.dsn)
			if err == nil || s.Store != nil {
				t.Fatalf("opened %v, %v", s, err)
			}
			want := test.want + "a store is given as sqlite:PATH, for instance sqlite:authcompat.db, or as postgres://USER:PASSWORD@HOST/DATABASE"
			if err.Error() != want {
				t.Errorf("error %q\n want %q", err, want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %q shows the password", err)
			}
		})
	}
}

// TestOpenOddNames opens a file whose name nobody would give to a new one: it is there, and
// has users in it.
func TestOpenOddNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"users.db\r", "users.db "} {
		s, err := store.Open(t.Context(), "sqlite:users.db")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename("users.db", name); err != nil {
			t.Fatal(err)
		}
		if err := store.ValidateDSN("sqlite:" + name); err != nil {
			t.Errorf("%q: checked: %v", name, err)
		}
		s, err = store.Open(t.Context(), "sqlite:"+name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOpenPostgres stands for the store's own tests: the DSN gets there, and what
// comes back is a backend without a store.
func TestOpenPostgres(t *testing.T) {
	for _, dsn := range []string{"postgres://ann:s3cret@127.0.0.1:1/auth", "postgresql://ann:s3cret@127.0.0.1:1/auth"} {
		const want = `PostgreSQL database "auth" at 127.0.0.1:1`
		if got := store.Describe(dsn); got != want {
			t.Errorf("described as %q", got)
		}
		s, err := store.Open(t.Context(), dsn)
		if s.Store != nil || !errors.Is(err, core.ErrUnavailable) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("opened %v, %v", s, err)
		}
		s, _, err = store.OpenTemp(t.Context(), dsn)
		if s.Store != nil || !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("opened %v, %v", s, err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite:"+t.TempDir())
	if err == nil || s.Store != nil {
		t.Errorf("opened %v, %v", s, err)
	}
}

func TestSQLitePath(t *testing.T) {
	tests := []struct {
		dsn, path string
		ok        bool
	}{
		{store.Default, "authcompat.db", true},
		{"sqlite:/var/lib/authcompat/users.db", "/var/lib/authcompat/users.db", true},
		{"sqlite:./a:b?c.db", "./a:b?c.db", true},
		{"sqlite:", "", false},
		{"sqlite:///a.db", "", false},
		{"postgres://localhost/db", "", false},
		{"", "", false},
	}
	for _, test := range tests {
		if path, ok := store.SQLitePath(test.dsn); path != test.path || ok != test.ok {
			t.Errorf("%q: %q, %t, want %q, %t", test.dsn, path, ok, test.path, test.ok)
		}
	}
}

// TestExists: an empty file is no database, unless the log beside it says that it was one.
func TestExists(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string // by suffix
		want  bool
	}{
		"nothing":                    {nil, false},
		"an empty file":              {map[string]string{"": ""}, false},
		"an empty file, with no log": {map[string]string{"": "", "-wal": ""}, false},
		"an empty file, with a log":  {map[string]string{"": "", "-wal": "frames"}, true},
		"a file":                     {map[string]string{"": "text"}, true},
	} {
		path := filepath.Join(t.TempDir(), "a.db")
		for suffix, text := range test.files {
			if err := os.WriteFile(path+suffix, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := store.Exists(t.Context(), "sqlite:"+path); err != nil || got != test.want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
}
