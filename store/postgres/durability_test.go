package postgres_test

import (
	"database/sql"
	"errors"
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

// TestSynchronousCommitTurnedOff has an operator turn it off for all sessions, those that are open too.
func TestSynchronousCommitTurnedOff(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	s := mustOpen(t, postgrestest.With(t, cluster.DSN(), "pool_size", "2"))
	_, token := someone(t, s, 1)
	cluster.Exec(t,
		`CREATE TABLE seen (setting text)`,
		`CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`,
		`CREATE TRIGGER see AFTER DELETE ON tokens FOR EACH ROW EXECUTE FUNCTION see()`,
		`ALTER SYSTEM SET synchronous_commit = off`, `SELECT pg_reload_conf()`)
	postgrestest.Eventually(t, func() error {
		var setting string
		if cluster.Get(t, &setting, `SELECT current_setting('synchronous_commit')`); setting != "off" {
			return errors.New("synchronous_commit is " + setting)
		}
		return nil
	})
	if err := s.DeleteToken(t.Context(), token.Digest, nil); err != nil {
		t.Fatal(err)
	}
	var setting string
	if cluster.Get(t, &setting, `SELECT setting FROM seen`); setting != "on" {
		t.Errorf("synchronous_commit is %s in a transaction, want on", setting)
	}
}

// TestTriggersWithoutEffect opens a database in whose sessions neither triggers nor foreign keys have an effect.
func TestTriggersWithoutEffect(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Schema(t)
	for role, want := range map[string]bool{"replica": true, "origin": false, "local": false} {
		warnings, err := mustOpen(t, postgrestest.With(t, dsn, "options", "-c session_replication_role="+role)).Warnings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		warned := slices.ContainsFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "session_replication_role is replica") })
		if warned != want {
			t.Errorf("as %s: %q", role, warnings)
		}
	}
}
