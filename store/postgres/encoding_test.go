package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestOpenRefusesEncoding has databases that do not have all characters of names. Nothing is
// left in them.
func TestOpenRefusesEncoding(t *testing.T) {
	for _, encoding := range []string{"LATIN1", "EUC_JP"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			dsn := postgrestest.Encoded(t, encoding)
			s, err := postgres.Open(t.Context(), postgrestest.With(t, dsn, "schema", "ours"))
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "its encoding is "+encoding) || !strings.Contains(err.Error(), "ENCODING 'UTF8' TEMPLATE template0") {
				t.Errorf("error %v", err)
			}
			var left bool
			if err := raw(t, dsn).QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'ours')`).Scan(&left); err != nil || left {
				t.Errorf("a schema is left: %t, %v", left, err)
			}
		})
	}
}

// TestOpenWithBytes has a database that keeps all text as bytes.
func TestOpenWithBytes(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, postgrestest.Encoded(t, "SQL_ASCII"))
	const name = "\u65e5\U0001F600"
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: name, PasswordHash: "!", Attributes: map[string]string{"bio": name + "\u2028"}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if account, err := s.Account(t.Context(), name); err != nil || account.Attributes["bio"] != name+"\u2028" {
		t.Errorf("account %+v, %v", account, err)
	}
}

// TestEncodingInUse has a database with authcompat's tables, which an earlier version made:
// it opens with a warning, and what it can't hold is not found, and no user is made of it.
func TestEncodingInUse(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Encoded(t, "UTF8")
	s, err := postgres.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, raw(t, dsn), `UPDATE pg_database SET encoding = pg_char_to_encoding('LATIN1') WHERE datname = current_database()`)
	s = mustOpen(t, dsn)
	if warnings, err := s.Warnings(t.Context()); err != nil || !strings.Contains(strings.Join(warnings, " "), "the encoding of the database is LATIN1") {
		t.Errorf("warnings %q, %v", warnings, err)
	}
	const foreign = "\u65e5\U0001F600"
	_, accountErr := s.Account(t.Context(), foreign)
	_, _, tokenErr := s.FindToken(t.Context(), core.DefaultRealm, core.Presented(foreign+strings.Repeat("0", 60)))
	for what, err := range map[string]error{"account": accountErr, "token": tokenErr} {
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if entries, err := s.AuditEntries(t.Context(), core.AuditFilter{Username: foreign}, 1); len(entries) > 0 || err != nil {
		t.Errorf("audit: %v, %v", entries, err)
	}
	kept := s.Backend().Callers
	if err := kept.AddCalls(t.Context(), "1", []callers.Calls{{Caller: callers.Caller{User: "j\u00f6rg", Agent: foreign}, Requests: 1}}); err != nil {
		t.Errorf("calls: %v", err)
	}
	if all, err := kept.SumCalls(t.Context(), callers.Filter{}, callers.ByAll); len(all) != 1 || all[0].User != "j\u00f6rg" || all[0].Agent != `\u65e5\U0001f600` || err != nil {
		t.Errorf("calls %+v, %v", all, err)
	}
	for what, user := range map[string]core.NewUser{
		"username": {Username: foreign, PasswordHash: "!"}, "address": {Username: "bob", Email: foreign + "@x", PasswordHash: "!"},
		"attribute": {Username: "eve", Attributes: map[string]string{"location": foreign}, PasswordHash: "!"},
	} {
		if _, err := s.CreateUser(t.Context(), user, nil, nil); !errors.Is(err, core.ErrInvalidUser) || strings.Contains(err.Error(), "0x") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "j\u00f6rg", PasswordHash: "!", CreatedAt: time.Now()}, nil, nil); err != nil {
		t.Error(err)
	}
}
