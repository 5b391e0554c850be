package live_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
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
		for name, replace := range map[string]func(path string) error{
			"replaced": func(path string) error { return os.Rename(path+".new", path) },
			"emptied": func(path string) error {
				return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
			},
			"removed": os.Remove,
		} {
			t.Run(mode+"/"+name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "django.sqlite3")
				mustMakeFile(t, path, mode)
				mustMakeFile(t, path+".new", mode)
				s := mustOpen(t, path).(*live.Store)
				record(t, s, 1)
				if err := errors.Join(s.Ping(t.Context()), os.Link(path, path+".kept"), replace(path)); err != nil {
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
