package live_test

import (
	"database/sql"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestSynchronousCommit checks that writes to Django's tables wait for the disk where the
// server's setting says they need not.
func TestSynchronousCommit(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{Settings: map[string]string{"synchronous_commit": "off"}})
	mustMake(t, "postgres", cluster.DSN(), "serial PRIMARY KEY", "timestamp with time zone", djangotest.UsersDDL, djangotest.KnoxDDL,
		`CREATE TABLE seen (setting text)`,
		`CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`,
		`CREATE TRIGGER see AFTER INSERT ON auth_user FOR EACH ROW EXECUTE FUNCTION see()`)
	s := mustOpen(t, cluster.DSN())
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	var setting string
	db, err := sql.Open("postgres", cluster.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT setting FROM seen`).Scan(&setting); err != nil || setting != "on" {
		t.Errorf("synchronous_commit is %q in the transaction, error %v", setting, err)
	}
	warnings, err := s.(core.Warner).Warnings(t.Context())
	if err != nil || len(warnings) == 0 {
		t.Errorf("warnings %q, error %v", warnings, err)
	}
}
