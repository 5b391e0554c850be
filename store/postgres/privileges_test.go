package postgres_test

import (
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestRoleThatMayOnlyRead has a role that may not write: writes fail as those on an
// unavailable store, and the warning says what to grant, after which there is none.
func TestRoleThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	owner, err := postgres.Open(t.Context(), cluster.DSN())
	if err != nil {
		t.Fatal(err)
	}
	_, token := someone(t, owner, 1)
	if warnings, err := owner.Warnings(t.Context()); err != nil || strings.Contains(strings.Join(warnings, "\n"), "GRANT") {
		t.Errorf("the owner is warned: %q, %v", warnings, err)
	}
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	role := "Reader_" + rand.Text()
	cluster.Exec(t, `CREATE ROLE "`+role+`" LOGIN`, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO "`+role+`"`)
	address, err := url.Parse(cluster.DSN())
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.User(role)
	s, err := postgres.Open(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for what, err := range map[string]error{
		"read":  s.Ping(t.Context()),
		"check": func() error { _, _, err := s.FindToken(t.Context(), token.Realm, "no token"); return err }(),
	} {
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, createErr := s.CreateUser(t.Context(), core.NewUser{Username: "bob"}, nil, nil)
	for what, err := range map[string]error{"register": createErr, "logout": s.DeleteToken(t.Context(), token.Digest, nil)} {
		if !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: %v, want an unavailable store", what, err)
		}
	}
	warnings, err := s.Warnings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, advice, ok := strings.Cut(strings.Join(warnings, "\n"), "fails with 503: ")
	const want = `GRANT INSERT, UPDATE ON users TO ROLE; GRANT INSERT, UPDATE, DELETE ON tokens TO ROLE; ` +
		`GRANT INSERT, UPDATE, DELETE ON guesses TO ROLE; GRANT INSERT ON audit TO ROLE; GRANT INSERT, UPDATE, DELETE ON callers TO ROLE; GRANT INSERT, UPDATE, DELETE ON mails TO ROLE; GRANT UPDATE ON fence TO ROLE; ` +
		`GRANT UPDATE ON imported_users TO ROLE; GRANT INSERT ON deleted_users TO ROLE; GRANT INSERT, UPDATE ON imported_tokens TO ROLE; GRANT INSERT, UPDATE ON cutover TO ROLE`
	if !ok || advice != strings.ReplaceAll(want, "ROLE", `"`+role+`"`) {
		t.Fatalf("warnings %q", warnings)
	}
	cluster.Exec(t, strings.Split(advice, "; ")...)
	if warnings, err = s.Warnings(t.Context()); err != nil || strings.Contains(strings.Join(warnings, "\n"), "GRANT") {
		t.Errorf("after the advice: %q, %v", warnings, err)
	}
	entry := func() *core.AuditEntry { return &core.AuditEntry{Action: core.ActionRegister, Outcome: core.OK} }
	if err := s.DeleteToken(t.Context(), token.Digest, entry()); err != nil {
		t.Errorf("logout after the advice: %v", err)
	}
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "bob"}, nil, entry()); err != nil {
		t.Errorf("register after the advice: %v", err)
	}
}
