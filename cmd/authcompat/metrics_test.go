package main

import (
	"database/sql"
	"testing"

	"github.com/authcompat/authcompat/store"
)

// TestStoreMetricsOfABackground counts the store operations of background work, and an
// audit entry that can't be written.
func TestStoreMetricsOfABackground(t *testing.T) {
	dsn := database(t)
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", dsn, "--limits", "off")...)
	for _, name := range []string{"count_tokens", "password_format_counts"} {
		eventually(t, name, func() bool {
			return p.metric(t, `authcompat_store_operation_duration_seconds_count{operation="`+name+`"}`) == 1
		})
	}
	api := p.urls["ocd-users"]
	p.want(t, 400, "POST", api+"/api/login/", "", wrong)
	path, _ := store.SQLitePath(dsn)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'broken'); END`); err != nil {
		t.Fatal(err)
	}
	p.want(t, 400, "POST", api+"/api/login/", "", wrong)
	for name, want := range map[string]float64{"store_operation_duration_seconds_count": 2, "store_operation_errors_total": 1} {
		if got := p.metric(t, `authcompat_`+name+`{operation="record"}`); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
