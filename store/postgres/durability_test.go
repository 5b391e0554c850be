package postgres_test

import (
	"database/sql"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestSynchronousCommit checks that writes wait for the disk where the server's setting
// says they need not, and that a setting which promises more, or less to a standby, stays.
func TestSynchronousCommit(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{"off": "on", "on": "on", "local": "local", "remote_apply": "remote_apply"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			dsn := postgrestest.Schema(t)
			s, err := postgres.Open(t.Context(), postgrestest.With(t, dsn, "options", "-c synchronous_commit="+setting))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			address, err := url.Parse(dsn)
			if err != nil {
				t.Fatal(err)
			}
			schema := address.Query().Get("schema")
			db, err := sql.Open("postgres", postgrestest.DSN(t))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, statement := range []string{
				`CREATE TABLE @.seen (setting text)`,
				`CREATE FUNCTION @.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO @.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`,
				`CREATE TRIGGER see AFTER INSERT OR DELETE ON @.tokens FOR EACH ROW EXECUTE FUNCTION @.see()`,
			} {
				if _, err := db.Exec(strings.ReplaceAll(statement, "@", schema)); err != nil {
					t.Fatal(err)
				}
			}
			_, token := someone(t, s, 1)
			if err := s.DeleteToken(t.Context(), token.Digest, nil); err != nil {
				t.Fatal(err)
			}
			var inserted, deleted string
			if err := db.QueryRow(`SELECT min(setting), max(setting) FROM `+schema+`.seen HAVING count(*) = 2`).Scan(&inserted, &deleted); err != nil {
				t.Fatal(err)
			}
			if inserted != want || deleted != want {
				t.Errorf("synchronous_commit is %s and %s in transactions, want %s", inserted, deleted, want)
			}
			warnings, err := s.Warnings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			warned := slices.ContainsFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "synchronous_commit is off") })
			if warned != (setting == "off") {
				t.Errorf("warnings: %q", warnings)
			}
		})
	}
}
