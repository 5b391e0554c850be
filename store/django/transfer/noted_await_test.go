package transfer_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	coretransfer "github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// TestExportAwaitsCommit settles an export whose last commit is still under way at the server, such as while a standby is slow: what
// it has written can't be seen yet, and is not taken for what never came there.
func TestExportAwaitsCommit(t *testing.T) {
	postgres := func(t *testing.T) (string, *sql.DB) {
		dsn, _ := pgUsers(t, 1, "serial")
		db, err := sql.Open("postgres", dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return dsn, db
	}
	maria := func(t *testing.T) (string, *sql.DB) {
		m := mustMariaUsers(t, "u0")
		return m.dsn, m.db
	}
	for _, database := range []struct {
		name string
		make func(*testing.T) (string, *sql.DB)
	}{{"PostgreSQL", postgres}, {"MariaDB", maria}} {
		for _, table := range []string{"users", "tokens"} {
			t.Run(database.name+"/"+table, func(t *testing.T) {
				dsn, db := database.make(t)
				h := mustHouse(t)
				h.take(t, dsn)
				to, err := tables.OpenTarget(t.Context(), dsn, tables.Mapping{}, time.UTC)
				if err != nil {
					t.Fatal(err)
				}
				defer to.Close()
				place, err := h.store.FindImport(t.Context(), to.Identity())
				if err != nil || place.Source == 0 {
					t.Fatal(place, err)
				}
				u0, err := h.store.Account(t.Context(), "u0")
				if err != nil {
					t.Fatal(err)
				}
				statement := `UPDATE auth_user SET password = 'md5$salt$new' WHERE id = 1`
				u0.PasswordHash = "md5$salt$new"
				noted := coretransfer.NotedExport{Users: []coretransfer.UserLink{{UserID: u0.ID, Key: "1", Fingerprint: coretransfer.UserFingerprint(u0)}}}
				if table == "tokens" {
					key := strings.Repeat("b", 40)
					statement = `INSERT INTO authtoken_token VALUES ('` + key + `', '2026-01-02 03:04:05', 1)`
					noted = coretransfer.NotedExport{Tokens: map[string][]core.Digest{"authtoken_token": {core.Presented(key).SHA256()}}}
					if _, err := db.Exec(`DELETE FROM authtoken_token`); err != nil {
						t.Fatal(err)
					}
				}
				tx, err := db.Begin()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback() }()
				if _, err := tx.Exec(statement); err != nil {
					t.Fatal(err)
				}
				if err := h.store.NoteExported(t.Context(), place.Source, noted); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				o := transfer.ExportOptions{Realm: policy.Realm, Sealer: h.sealer, Clock: time.Now}
				if _, err := transfer.Export(ctx, h.store, to, o); err == nil {
					t.Error("an export beside one that is at its commit did not wait for it")
				}
				if still, err := h.store.NotedExport(t.Context(), place.Source); err != nil || still.Empty() {
					t.Errorf("noted: %+v, %v", still, err)
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				if _, err := transfer.Export(t.Context(), h.store, to, o); err != nil {
					t.Error(err)
				}
				if still, err := h.store.NotedExport(t.Context(), place.Source); err != nil || !still.Empty() {
					t.Errorf("noted after it: %+v, %v", still, err)
				}
			})
		}
	}
}
