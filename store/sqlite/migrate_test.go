package sqlite

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/storetest/transfertest"
	"github.com/jmoiron/sqlx"
)

// oldKey is what digests were once made with of names that nobody has.
const oldKey = "the key of older versions"

// schema13 creates a database as versions left it that kept links apart from tokens,
// with what an import and an export had written.
func schema13(t *testing.T, path string, linked transfertest.Linked) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	run := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.Exec(statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run(fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
	run(versionTable)
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	run(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)`)
	for _, name := range names {
		var number int
		if _, err := fmt.Sscanf(filepath.Base(name), "%d_", &number); err != nil {
			t.Fatal(err)
		}
		if number > 13 {
			break
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		run(string(bytes.TrimSpace(text)))
		run(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)`, number)
	}
	run(`INSERT INTO secrets (name, value) VALUES ('disguise', ?)`, []byte(oldKey))
	run(`INSERT INTO imports (id, source, options, run, stage, reached, tables) VALUES (1, 'old', '', 3, 't', '17', '["t"]')`)
	for id, name := range linked.Users {
		run(`INSERT INTO users (id, username, email, password_hash, active, created_at) VALUES (?, ?, '', '', 1, 0)`, id, name)
		run(`INSERT INTO imported_users (user_id, source, mark) VALUES (?, 1, zeroblob(32))`, id)
	}
	for _, token := range linked.Tokens {
		run(`INSERT INTO tokens (digest, user_id, realm, issuer, created_at, sliding, reusable, seal_key, twin) VALUES (?, ?, 'default', 'api', 0, 0, 0, '', ?)`,
			[]byte(token.Digest), token.UserID, []byte(token.Legacy.Digest))
	}
	for _, link := range linked.Links {
		run(`INSERT INTO imported_tokens (digest, source, run, origin, absent) VALUES (?, 1, 3, 't', ?)`, []byte(link.Digest), link.Absent)
	}
}

// TestMigratesLinks checks that everything known about tokens survives the migration.
func TestMigratesLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	linked := transfertest.NewLinked()
	schema13(t, path, linked)
	s, err := Open(t.Context(), path, Options{Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	linked.Check(t, s)
}

// TestForgetsOldKey checks that nothing is left of the key with which older versions made
// digests of names that nobody has.
func TestForgetsOldKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	schema13(t, path, transfertest.NewLinked())
	if file, err := os.ReadFile(path); err != nil || !bytes.Contains(file, []byte(oldKey)) {
		t.Fatalf("the old file does not have the key: %v", err)
	}
	s, err := Open(t.Context(), path, Options{Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if file, err := os.ReadFile(path); err != nil || bytes.Contains(file, []byte(oldKey)) {
		t.Errorf("the file still has the old key: %v", err)
	}
}

// TestBackupOfAnOlderSchema checks that a backup upgrades nothing, and that its restore
// does.
func TestBackupOfAnOlderSchema(t *testing.T) {
	dir := t.TempDir()
	path, file, place := filepath.Join(dir, "old.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "new.db")
	linked := transfertest.NewLinked()
	schema13(t, path, linked)
	if _, err := Backup(t.Context(), path, file, BackupOptions{NotAudited: func(err error) { t.Error(err) }}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, file} {
		err := withDatabase(path, func(db *sqlx.DB) error {
			var version int
			if err := db.Get(&version, `SELECT max(version_id) FROM goose_db_version`); err != nil || version != 13 {
				t.Errorf("%s: schema %d, %v", path, version, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	r, err := Restore(t.Context(), place, file, RestoreOptions{KeepTokens: true})
	if err != nil || r.Tokens != 2 {
		t.Fatalf("restored %+v, %v", r, err)
	}
	s, err := Open(t.Context(), place, Options{Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	linked.Check(t, s)

	// Over the database of an older or newer version, tokens are compared too.
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{13, 999} {
		over := filepath.Join(t.TempDir(), "over.db")
		if err := os.WriteFile(over, before, 0o600); err != nil {
			t.Fatal(err)
		}
		err := withDatabase(over, func(db *sqlx.DB) error {
			_, err := db.Exec(`DELETE FROM tokens WHERE user_id = 1; UPDATE goose_db_version SET version_id = ? WHERE version_id = 13`, version)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Restore(t.Context(), over, file, RestoreOptions{}); err != nil || r.Unknown != nil || r.Ended != 1 || r.Tokens != 1 {
			t.Errorf("over schema %d: %+v, %v", version, r, err)
		}
		s, err := Open(t.Context(), over, Options{Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
