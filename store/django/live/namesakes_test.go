package live_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
)

// TestNamesakes has a column that compares names without regard to case, and two users
// who have one name there: a login must not pick either.
func TestNamesakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	users := strings.Replace(djangotest.UsersDDL, "username varchar(150) NOT NULL UNIQUE", "username varchar(150) COLLATE NOCASE NOT NULL", 1)
	mustMake(t, "sqlite", "file:"+path, "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "datetime", users, djangotest.KnoxDDL)
	s := mustOpen(t, path)
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	add := func(name string) {
		t.Helper()
		if _, err := db.Exec(`INSERT INTO auth_user (password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name)
			VALUES ('!', 0, ?, '', '', 0, 1, '2020-01-01 00:00:00', '')`, name); err != nil {
			t.Fatal(err)
		}
	}
	add("ann")
	if account, err := s.Account(t.Context(), "Ann"); err != nil || account.Username != "ann" {
		t.Errorf("one of the name: %+v, %v", account, err)
	}
	add("ANN")
	for _, name := range []string{"ann", "ANN", "Ann"} {
		if account, err := s.Account(t.Context(), name); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%s, of two: %+v, %v", name, account, err)
		}
	}
}
