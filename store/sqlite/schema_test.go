package sqlite

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/jmoiron/sqlx"
)

var update = flag.Bool("update", false, "write schema.sql anew")

// TestSchemaText compares schema.sql with what the migrations make.
func TestSchemaText(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "new.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	entries, err := schemaEntries(t.Context(), s.writer)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(entries, entrySeparator) + entrySeparator
	if text == schemaText {
		return
	}
	if !*update {
		t.Fatal("schema.sql is not what the migrations make: go test ./store/sqlite -run TestSchemaText -update")
	}
	if err := os.WriteFile("schema.sql", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedTriggers takes triggers and unique indexes away, or makes them do nothing, as
// damage can that SQLite's own checks do not see: neither the database nor a backup of it
// is taken into use, and a good backup can be restored over it.
func TestDamagedTriggers(t *testing.T) {
	folder := t.TempDir()
	path, good := filepath.Join(folder, "auth.db"), filepath.Join(folder, "good.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	backup := BackupOptions{NotAudited: func(err error) { t.Error(err) }}
	restore := RestoreOptions{Audit: core.AuditEntry{At: time.Now()}}
	if _, err := Backup(t.Context(), path, good, backup); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	var objects []struct{ Type, Name string }
	if err := withDatabase(path, func(db *sqlx.DB) error {
		return db.Select(&objects, `SELECT type, name FROM sqlite_schema WHERE type = 'trigger' OR sql LIKE 'CREATE UNIQUE%'`)
	}); err != nil || len(objects) < 10 {
		t.Fatal(objects, err)
	}
	for i, o := range objects {
		for kind, statement := range map[string]string{
			"missing": fmt.Sprintf(`DROP %s %s`, o.Type, o.Name),
			"inert": fmt.Sprintf(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = CASE
				WHEN type = 'index' THEN replace(sql, 'UNIQUE', '') WHEN sql LIKE '%%WHEN %%' THEN replace(sql, 'WHEN ', 'WHEN 0 AND ')
				ELSE replace(sql, 'BEGIN', 'WHEN 0 BEGIN') END WHERE name = '%s'`, o.Name),
		} {
			damaged := filepath.Join(folder, fmt.Sprintf("%s-%d.db", kind, i))
			if err := os.WriteFile(damaged, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := withDatabase(damaged, func(db *sqlx.DB) error { _, err := db.Exec(statement); return err }); err != nil {
				t.Fatal(err)
			}
			refused := func(what string, err error) {
				t.Helper()
				if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), o.Name) {
					t.Errorf("%s %s: %s: %v", kind, o.Name, what, err)
				}
			}
			_, err := Open(t.Context(), damaged, Options{})
			refused("open", err)
			_, err = Backup(t.Context(), damaged, filepath.Join(folder, "bad.db"), backup)
			refused("backup", err)
			_, err = Restore(t.Context(), path, damaged, restore)
			refused("restore", err)
			if _, err := Restore(t.Context(), damaged, good, restore); err != nil {
				t.Errorf("%s %s: %v", kind, o.Name, err)
			}
		}
	}
}
