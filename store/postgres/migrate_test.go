package postgres

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/authcompat/authcompat/store/storetest/transfertest"
)

// schema13 creates a schema as versions left it that kept links apart from tokens, with
// what an import and an export had written.
func schema13(t *testing.T, dsn string, linked transfertest.Linked) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := u.Query().Get("schema")
	db, err := sql.Open("postgres", postgrestest.DSN(t))
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
	run(`CREATE SCHEMA ` + schema)
	run(`SET search_path = ` + schema)
	run(strings.ReplaceAll(createVersionTable, "@", ""))
	files, _, err := loadMigrations("")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.Version > 13 {
			break
		}
		tx, err := db.Begin()
		if err == nil {
			err = file.UpFnContext(t.Context(), tx)
		}
		if err == nil {
			err = tx.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		run(`INSERT INTO authcompat_migrations (version_id, is_applied) VALUES ($1, true)`, file.Version)
	}
	run(`INSERT INTO secrets (name, value) VALUES ('disguise', '\x00')`)
	run(`INSERT INTO imports (source, options, run, stage, reached, tables) VALUES ('old', '', 3, 't', '17', '["t"]')`)
	for id, name := range linked.Users {
		run(`INSERT INTO users (id, username, email, password_hash, active, created_at) VALUES ($1, $2, '', '', true, 0)`, id, name)
		run(`INSERT INTO imported_users (user_id, source, mark) SELECT $1, id, '\x00' FROM imports`, id)
	}
	for _, token := range linked.Tokens {
		run(`INSERT INTO tokens (digest, user_id, realm, issuer, created_at, sliding, reusable, seal_key, twin) VALUES ($1, $2, 'default', 'api', 0, 0, false, '', $3)`,
			[]byte(token.Digest), token.UserID, []byte(token.Legacy.Digest))
	}
	for _, link := range linked.Links {
		run(`INSERT INTO imported_tokens (digest, source, run, origin, absent) SELECT $1, id, 3, 't', $2 FROM imports`, []byte(link.Digest), link.Absent)
	}
}

// TestMigratesLinks checks that everything known about tokens survives the migration.
func TestMigratesLinks(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Schema(t)
	linked := transfertest.NewLinked()
	schema13(t, dsn, linked)
	s, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	linked.Check(t, s)
	var old int
	if err := s.db.GetContext(t.Context(), &old, s.qualify(`SELECT count(*) FROM @secrets WHERE name = 'disguise'`)); err != nil || old != 0 {
		t.Errorf("the key with which digests were made of names that nobody has: %d, %v", old, err)
	}
}
