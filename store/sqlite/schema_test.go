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

var update = flag.Bool("update", false, "write guards.sql anew")

// TestGuardsText compares guards.sql with what the migrations make.
func TestGuardsText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var made []string
	if err := withDatabase(path, func(db *sqlx.DB) (err error) { // Open would go by the file
		if err = migrate(t.Context(), db, DefaultWait); err == nil {
			made, err = guards(t.Context(), db)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(made, guardSeparator) + guardSeparator
	if text == guardsText {
		return
	}
	if !*update {
		t.Fatal("guards.sql is not what the migrations make: go test ./store/sqlite -run TestGuardsText -update")
	}
	if err := os.WriteFile("guards.sql", []byte(text), 0o644); err != nil {
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
			if i%5 > 0 {
				continue // the others find out as Open does
			}
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

// TestRenamedAndBack renames tables and a column and gives them their names again, which
// leaves quotes in the texts of triggers: the database opens.
func TestRenamedAndBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth.db")
	open := func() error {
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			return err
		}
		return s.Close()
	}
	alter := func(statements ...string) {
		t.Helper()
		if err := withDatabase(path, func(db *sqlx.DB) error {
			_, err := db.Exec(strings.Join(statements, ";"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"users", "tokens", "audit", "audit_begins", "generation", "changes", "imported_users"} {
		alter(`ALTER TABLE `+table+` RENAME TO other`, `ALTER TABLE other RENAME TO `+table)
		if err := open(); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
	alter(`ALTER TABLE users RENAME username TO other`, `ALTER TABLE users RENAME other TO username`)
	if err := open(); err != nil {
		t.Error(err)
	}
	// A keyword in quotes is another word: here, the text NULL.
	alter(`PRAGMA writable_schema = ON`, `UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', 'NOT "NULL"') WHERE name = 'tokens_twin'`)
	if err := open(); !errors.Is(err, errDamaged) {
		t.Errorf("a quoted keyword: %v", err)
	}
}

// TestTriggerOfOneDay opens a database of schema 15 that was made without a trigger, as
// builds of one day made them.
func TestTriggerOfOneDay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth.db")
	s, err := Open(t.Context(), path, Options{})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := withDatabase(path, func(db *sqlx.DB) error {
		countAlone(t, db.DB)
		_, err := db.Exec(`DROP VIEW next_change; DROP TABLE changes; ALTER TABLE generation DROP COLUMN mark;
			DROP TRIGGER audit_is_not_replaced; DROP TABLE cutover; ALTER TABLE audit DROP COLUMN detail;
			DROP TABLE mails; DROP TABLE email_addresses; ALTER TABLE users DROP COLUMN last_login;
			DROP INDEX users_email_capitals; DROP INDEX users_email_exact; ALTER TABLE users DROP COLUMN email_since; DROP TABLE exporting; DROP TABLE deleted_users; DELETE FROM goose_db_version WHERE version_id > 15`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), path, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const insert = `INSERT OR REPLACE INTO audit (id, at, act, outcome, user_id, username, unknown, profile, actor, address, request, token)
		VALUES (9, 0, 'login', ?, 0, '', '', '', '', '', '', '')`
	if _, err := s.writer.Exec(insert, "ok"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec(insert, "other"); err == nil || !strings.Contains(err.Error(), "append-only") {
		t.Errorf("an entry is replaced: %v", err)
	}
}
