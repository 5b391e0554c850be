package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
	"github.com/authcompat/authcompat/store/storetest/operationtest"
)

func TestOperation(t *testing.T) {
	operationtest.Run(t, func(tb testing.TB) (a, b core.Store) {
		path := filepath.Join(tb.TempDir(), "authcompat.db")
		return sqlitetest.MustOpenFile(tb, path), sqlitetest.MustOpenFile(tb, path)
	})
}

// TestAuditIsAppendOnly tries what a program other than authcompat could do.
func TestAuditIsAppendOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	s := sqlitetest.MustOpenFile(t, path)
	for _, day := range []int{1, 2, 3} {
		if err := s.Record(t.Context(), core.AuditEntry{At: time.Unix(0, 0).AddDate(0, 0, day), Action: core.ActionLogin}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.PurgeAudit(t.Context(), time.Unix(0, 0).AddDate(0, 0, 2), 10); n != 1 || err != nil {
		t.Fatalf("%d removed, %v", n, err)
	}
	db := raw(t, path)
	const columns = ` INTO audit SELECT id, at, act, 'ok', user_id, 'mallory', unknown, profile, actor, address, request, token, 'forged' FROM audit`
	for _, statement := range []string{
		`DELETE FROM audit WHERE id = 2`, `DELETE FROM audit`, `UPDATE audit SET outcome = 'ok'`,
		`INSERT OR REPLACE` + columns, `REPLACE` + columns, `INSERT OR IGNORE` + columns, `UPDATE OR REPLACE audit SET id = 2 WHERE id = 3`,
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	entries, err := s.AuditEntries(t.Context(), core.AuditFilter{}, 10)
	if len(entries) != 2 || err != nil {
		t.Errorf("%d entries left, %v", len(entries), err)
	}
	for _, e := range entries {
		if e.Username != "" {
			t.Errorf("entry %d is another one: %+v", e.ID, e)
		}
	}
	if err := s.Record(t.Context(), core.AuditEntry{At: time.Unix(0, 0).AddDate(0, 0, 4), Action: core.ActionLogin}); err != nil {
		t.Errorf("the next entry: %v", err)
	}
}
