package inprocess

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// A soakStore is a store that can be emptied.
type soakStore struct {
	backend core.Backend
	django  *sql.DB // Django's tables, on which the store works; nil: it has its own
	tokens  string  // Django's table of tokens
}

// openOurs opens a store on tables of its own.
func openOurs(t *testing.T, dsn string) *soakStore {
	t.Helper()
	s, cleanup, err := store.OpenTemp(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cleanup(); err != nil {
			t.Error(err)
		}
	})
	return &soakStore{backend: s.Backend}
}

// openDjango makes Django's tables that can hold the tokens of a profile, and opens a store
// on them: in a file, or in a schema of a PostgreSQL database.
func openDjango(t *testing.T, driver, at, profile string) *soakStore {
	t.Helper()
	s := &soakStore{tokens: "knox_authtoken"}
	ddl := []string{djangotest.UsersDDL, djangotest.KnoxDDL, djangotest.AddressesDDL}
	if slices.Contains([]string{"authtokens", "snippit", "drf-authtoken", "dj-rest-auth", "djoser"}, profile) {
		s.tokens, ddl[1] = "authtoken_token", djangotest.AuthtokenDDL
	}
	types := strings.NewReplacer("ID", "integer NOT NULL PRIMARY KEY AUTOINCREMENT", "TIME", "datetime")
	dsn, source := "file:"+at+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)", "django+sqlite:"+at
	if driver == "postgres" {
		schema := "django_" + strings.ToLower(rand.Text())
		ddl = append([]string{"CREATE SCHEMA " + schema}, ddl...)
		types = strings.NewReplacer("ID", "serial PRIMARY KEY", "TIME", "timestamp with time zone")
		dsn = postgrestest.With(t, at, "search_path", schema)
		source = "django+" + dsn
	}
	var err error
	if s.django, err = sql.Open(driver, dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.django.Close() })
	for _, statement := range ddl {
		if _, err := s.django.Exec(types.Replace(statement)); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := store.Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	s.backend = opened.Backend
	return s
}

// empty removes the users, their tokens and mails, the limits and the audit log, at a time when all of
// it is over.
func (s *soakStore) empty(ctx context.Context, at time.Time) error {
	const limit = 1000
	var errs []error
	for more := true; more; {
		limits, err := s.backend.RateLimiter.PruneLimits(ctx, at, limit)
		entries, failed := s.backend.Auditor.PurgeAudit(ctx, at, limit)
		more = limits > 0 || entries > 0
		errs = append(errs, err, failed)
	}
	for {
		m, err := s.backend.Mail.ClaimMail(ctx, at, at)
		if errors.Is(err, core.ErrNotFound) {
			break
		}
		if err == nil {
			err = s.backend.Mail.RemoveMail(ctx, m, nil)
		}
		if err != nil {
			errs = append(errs, err)
			break
		}
	}
	if s.django != nil {
		for _, table := range []string{s.tokens, "account_emailaddress", "auth_user"} {
			_, err := s.django.ExecContext(ctx, "DELETE FROM "+table)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
	users, err := s.backend.Admin.Users(ctx, core.UserFilter{}, 100*limit)
	errs = append(errs, err)
	for _, u := range users {
		errs = append(errs, s.backend.Admin.DeleteUser(ctx, u.ID, nil))
	}
	return errors.Join(errs...)
}
