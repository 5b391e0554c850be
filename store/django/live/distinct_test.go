package live

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/tables"
)

// distinctly makes Django's tables in an SQLite file, with ann and bob, and opens it.
func distinctly(t *testing.T) (s *Store, django *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	django, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { django.Close() })
	for _, ddl := range []string{djangotest.UsersDDL, djangotest.AuthtokenDDL} {
		if _, err := django.Exec(strings.NewReplacer("ID", "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "TIME", "datetime").Replace(ddl)); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = Open(t.Context(), path, tables.Mapping{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, name := range []string{"ann", "bob"} {
		if _, err := s.CreateUser(t.Context(), newcomer(name), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	return s, django
}

func newcomer(name string) core.NewUser {
	return core.NewUser{Username: name, Email: name + "@example.org", PasswordHash: "!", Distinct: core.Distinct{Username: true, Email: true}, CreatedAt: time.Now()}
}

// TestDistinctIsSeenWithoutTheLock looks for a name while Django holds SQLite's only lock: all users are looked at
// where nobody waits for that.
func TestDistinctIsSeenWithoutTheLock(t *testing.T) {
	s, django := distinctly(t)
	bob, err := s.Account(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := django.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateUser(t.Context(), newcomer("ANN"), nil, nil); !errors.Is(err, core.ErrUsernameTaken) {
		t.Errorf("registration: %v", err)
	}
	to := bob.User
	to.Email = "ANN@example.org"
	if _, err := s.UpdateUser(t.Context(), core.UserChange{Was: bob.User, To: to, Distinct: core.Distinct{Email: true}}, nil); !errors.Is(err, core.ErrEmailTaken) {
		t.Errorf("change: %v", err)
	}
}

// TestDistinctFromWhoCameSince has another server of ours write between the look at all users and the transaction.
func TestDistinctFromWhoCameSince(t *testing.T) {
	for name, write := range map[string]func(context.Context, *Store, core.Account) error{
		"registered": func(ctx context.Context, s *Store, _ core.Account) error {
			_, err := s.CreateUser(ctx, newcomer("Eve"), nil, nil)
			return err
		},
		"renamed": func(ctx context.Context, s *Store, bob core.Account) error {
			to := bob.User
			to.Username, to.Email = "Eve", "Eve@example.org"
			_, err := s.UpdateUser(ctx, core.UserChange{Was: bob.User, To: to}, &core.AuditEntry{Action: core.ActionUpdateUser, Outcome: core.OK, UserID: bob.ID})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, django := distinctly(t)
			bob, err := s.Account(t.Context(), "bob")
			if err != nil {
				t.Fatal(err)
			}
			for what, tt := range map[string]struct {
				distinct core.Distinct
				taken    error
			}{
				"name":    {core.Distinct{Username: true}, core.ErrUsernameTaken},
				"address": {core.Distinct{Email: true}, core.ErrEmailTaken},
			} {
				k, err := s.lookAhead(t.Context(), tt.distinct, 0, "EVE", "EVE@example.org")
				if err != nil || k == nil {
					t.Fatalf("%s: %v, %v", what, k, err)
				}
				if err := write(t.Context(), s, bob); err != nil {
					t.Fatal(err)
				}
				err = s.write(t.Context(), func(ctx context.Context, tx *sql.Tx, l *layout) error {
					return l.distinct(ctx, tx, tt.distinct, 0, "EVE", "EVE@example.org", k)
				})
				if !errors.Is(err, tt.taken) {
					t.Errorf("%s: %v", what, err)
				}
				if _, err := django.Exec(`DELETE FROM auth_user WHERE username = 'Eve' AND id <> ?`, bob.ID); err != nil {
					t.Fatal(err)
				}
				if _, err := django.Exec(`UPDATE auth_user SET username = 'bob', email = 'bob@example.org' WHERE id = ?`, bob.ID); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
