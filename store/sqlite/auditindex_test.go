package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/record"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestAuditOfAUserByIndex finds the entries about a user by the index that there is for it: the record may have millions of others.
func TestAuditOfAUserByIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth.db")
	sqlitetest.MustOpenFile(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	condition, args := record.AuditSubject(core.AuditFilter{Username: "ann"})
	var id, parent, unused int
	var plan string
	if err := db.QueryRow(`EXPLAIN QUERY PLAN SELECT id, act FROM audit WHERE 1 AND `+condition+` AND id < ? ORDER BY id DESC LIMIT ?`, append(args, 1000, 50)...).Scan(&id, &parent, &unused, &plan); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(plan, "SEARCH audit USING INDEX audit_username (username=? AND ") {
		t.Errorf("the plan is %s", plan)
	}
}
