package live_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
)

// TestNoIDLeft adds a user to tables that have assigned the last id there is: the store
// is unavailable for that, and says why.
func TestNoIDLeft(t *testing.T) {
	t.Parallel()
	for name, database := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := database(t)
			s := mustOpen(t, d.source)
			if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil); err != nil {
				t.Fatal(err)
			}
			last, want := `UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'auth_user'`, "the last id that a row of auth_user can have"
			if d.driver == "postgres" {
				last, want = `SELECT setval('auth_user_id_seq', 2147483647)`, "reached maximum value of sequence"
			}
			if err := d.exec(t, last); err != nil {
				t.Fatal(err)
			}
			_, err := s.CreateUser(t.Context(), core.NewUser{Username: "bob", PasswordHash: "!"}, nil, nil)
			if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want that of an unavailable store with %q", err, want)
			}
			if _, err := s.Account(t.Context(), "ann"); err != nil {
				t.Errorf("the others: %v", err)
			}
		})
	}
}
