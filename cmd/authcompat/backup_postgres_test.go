package main

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestPostgresRestore does what docs/postgres.md says: a dump is made while a node serves,
// restored in the place of the schema, and no token of it is accepted any more.
func TestPostgresRestore(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			testenv.Missing(t, "%v", err)
		}
	}
	cluster := postgrestest.Start(t, postgrestest.Options{})
	base := cluster.DSN()
	dsn := base + "&schema=authcompat"
	args := append(cheap, "--profile", "ocd-users", "--store", dsn)
	p := start(t, args...)
	token := tokenIn(t, p.want(t, http.StatusOK, "POST", p.urls["ocd-users"]+"/api/register/", "", annsAccount).body)
	dump := filepath.Join(t.TempDir(), "authcompat.dump")
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("pg_dump", "-Fc", "--schema=authcompat", "-f", dump, base)
	p.want(t, http.StatusNoContent, "POST", p.urls["ocd-users"]+"/api/logout/", token, "")
	p.end(t)

	cluster.Exec(t, `ALTER SCHEMA authcompat RENAME TO authcompat_before`)
	run("pg_restore", "--exit-on-error", "--single-transaction", "-d", base, dump)
	// Where there are no tables, nothing is made that could look like a database without tokens.
	for _, wrong := range []string{base, base + "&schema=authcompta"} {
		if got := refused(t, "", "token", "revoke", "--all", "--store", wrong); !strings.Contains(got, "there are no tables of authcompat") || strings.Contains(got, "password=") {
			t.Errorf("revoke at %s: %s", wrong, got)
		}
	}
	var made int
	if cluster.Get(t, &made, `SELECT count(*) FROM information_schema.tables WHERE table_schema IN ('public', 'authcompta')`); made != 0 {
		t.Errorf("%d tables were made", made)
	}
	if got := command(t, "", "token", "revoke", "--all", "--store", dsn); got != "revoked 1 token\n" {
		t.Errorf("revoke: %s", got)
	}
	p = start(t, args...)
	p.want(t, http.StatusUnauthorized, "POST", p.urls["ocd-users"]+"/api/logout/", token, "")
	p.want(t, http.StatusOK, "POST", p.urls["ocd-users"]+"/api/login/", "", annsAccount)
	if got := command(t, "", "audit", "--action", "revoke-tokens", "--json", "--store", dsn); strings.Count(got, "\n") != 1 {
		t.Errorf("entries: %s", got)
	}
}
