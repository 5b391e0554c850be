package live_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// addTokens gives users, whose names are of one letter, tokens by SQL, as many as authcompat would have issued.
func addTokens(t *testing.T, d database, user core.User, n int) {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO knox_authtoken (digest, created, token_key, user_id) SELECT '%[1]s' || i, '2026-01-01 00:00:00', '%[1]s', %[2]d FROM n`,
		`INSERT INTO authcompat_tokens (digest, token, user_id, realm, issuer, sliding, reusable, sealed, seal_key, created_at)
			SELECT '%[1]s' || i, '%[1]s' || i, %[2]d, 'default', '', 0, 0, '', '', 0 FROM n`,
	} {
		numbers := fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, n)
		if err := d.exec(t, numbers+fmt.Sprintf(statement, user.Username, user.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStaleRows has Django delete tokens of ours: each login takes some of what was kept of them along, and no more of
// another's.
func TestStaleRows(t *testing.T) {
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source).(*live.Store)
			var users []core.User
			for _, name := range []string{"a", "b"} {
				u, err := s.CreateUser(t.Context(), core.NewUser{Username: name, PasswordHash: "!"}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				addTokens(t, d, u, 250)
				users = append(users, u)
			}
			if err := d.exec(t, `DELETE FROM knox_authtoken`); err != nil {
				t.Fatal(err)
			}
			for i, want := range []int{151, 52, 3, 4} {
				issue(t, s, users[0], fmt.Sprint(i))
				if got := d.count(t, fmt.Sprintf(`SELECT count(*) FROM authcompat_tokens WHERE user_id = %d`, users[0].ID)); got != want {
					t.Errorf("%d rows after login %d, want %d", got, i, want)
				}
			}
			if got := d.count(t, fmt.Sprintf(`SELECT count(*) FROM authcompat_tokens WHERE user_id = %d`, users[1].ID)); got != 250 {
				t.Errorf("another user has %d rows", got)
			}
		})
	}
}

// TestLoginAmongManyTokens has a user with more tokens than PostgreSQL's work_mem has room for: a login compares none of them
// with all others, which would take longer than there is time for.
func TestLoginAmongManyTokens(t *testing.T) {
	d := databases(djangotest.UsersDDL, djangotest.KnoxDDL)["postgres"](t)
	s := mustOpen(t, postgrestest.With(t, postgrestest.With(t, d.source, "work_mem", "64kB"), "wait", (2*time.Second).String())).(*live.Store)
	ann, err := s.CreateUser(t.Context(), core.NewUser{Username: "a", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	addTokens(t, d, ann, 40000)
	if err := d.exec(t, `ANALYZE`); err != nil {
		t.Fatal(err)
	}
	issue(t, s, ann, "another")
	if err := find(t, s, "another"); err != nil {
		t.Error(err)
	}
}
