package main

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// TestConformanceOnPostgres replays documented exchanges on PostgreSQL, those of
// one profile or of all, and checks that nothing is left behind there.
func TestConformanceOnPostgres(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	profile := []string{"knox-auth", "all"}[count(0, 1)]
	report := command(t, "", "conformance", "run", "--profile", profile, "--store", cluster.DSN())
	if !strings.Contains(report, " passed\n") {
		t.Errorf("report:\n%s", report)
	}
	var left int
	cluster.Get(t, &left, `
		SELECT count(*) FROM information_schema.tables
		WHERE table_schema NOT IN ('pg_catalog', 'information_schema') OR table_schema LIKE 'authcompat%'`)
	if left != 0 {
		t.Errorf("%d tables left", left)
	}
}
