package postgres

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/pgconn"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/authcompat/authcompat/store/storetest/transfertest"
)

// migratedTo creates a schema as versions left it that knew the migrations up to one, and returns what runs further
// statements in it.
func migratedTo(t *testing.T, dsn string, last int64) (run func(statement string, args ...any)) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return migrated(t, postgrestest.DSN(t), u.Query().Get("schema"), last)
}

// migrated is migratedTo for a schema of the database at dsn.
func migrated(t *testing.T, dsn, schema string, last int64) (run func(statement string, args ...any)) {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	run = func(statement string, args ...any) {
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
		if file.Version > last {
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
	return run
}

// schema13 creates a schema as versions left it that kept links apart from tokens, with
// what an import and an export had written.
func schema13(t *testing.T, dsn string, linked transfertest.Linked) {
	t.Helper()
	run := migratedTo(t, dsn, 13)
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

// TestMigratesBesideADump begins a migration while a long transaction reads users, as pg_dump's does: indexes are made
// beside it, and for what has to wait for its end, token checks of other nodes do not wait too.
func TestMigratesBesideADump(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Schema(t, "wait", "10s")
	migratedTo(t, dsn, 23)("INSERT INTO users (username, email, password_hash, active, created_at) VALUES ('ann', '', '', true, 0)")
	settings, err := pgconn.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	other := connect(settings)
	defer other.Close()
	dump, err := other.db.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Rollback()
	if _, err := dump.Exec(other.qualify(`LOCK TABLE @users IN ACCESS SHARE MODE`)); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		s, err := Open(context.WithoutCancel(t.Context()), dsn)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	waiting := other.qualify(`SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = '@users'::regclass AND NOT granted AND mode = 'AccessExclusiveLock')`)
	for tries := range 3 {
		postgrestest.Eventually(t, func() error {
			var begun bool
			if err := other.db.GetContext(t.Context(), &begun, waiting); err != nil || begun {
				return err
			}
			return errors.New("no migration waits for the dump")
		})
		if version, err := other.version(t.Context()); err != nil || version < 24 {
			t.Fatalf("schema %d, %v", version, err)
		}
		if _, _, err := other.FindToken(t.Context(), core.DefaultRealm, "nobody's"); !errors.Is(err, core.ErrNotFound) {
			t.Fatalf("check %d: %v", tries, err)
		}
	}
	if err := dump.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	var left int
	if err := other.db.GetContext(t.Context(), &left, other.qualify(`SELECT count(*) FROM pg_index WHERE indrelid = '@users'::regclass AND indexrelid::regclass::text ~ 'users_email_(active|exact)'`)); err != nil || left != 0 {
		t.Errorf("%d old indexes, %v", left, err)
	}
}

// TestMigratesBesideAutovacuum begins a migration while PostgreSQL vacuums users by itself, slowly, as it does with large tables. PostgreSQL
// gives that up for whoever waits for long enough, and the migration must not wait until it is done.
func TestMigratesBesideAutovacuum(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{Settings: map[string]string{"autovacuum_naptime": "1s"}})
	migrated(t, cluster.DSN(), "auth", 23)
	cluster.Exec(t,
		`INSERT INTO auth.users (username, email, password_hash, active, created_at) SELECT 'user' || i, '', repeat('x', 100), true, 0 FROM generate_series(1, 5000) AS i`,
		`UPDATE auth.users SET created_at = 1`,
		// A tenth of a second for each page, of which there are hundreds with those of the indexes.
		`ALTER TABLE auth.users SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)`)
	postgrestest.Eventually(t, func() error {
		var vacuums int
		cluster.Get(t, &vacuums, `SELECT count(*) FROM pg_locks WHERE relation = 'auth.users'::regclass AND granted AND mode = 'ShareUpdateExclusiveLock'`)
		if vacuums == 0 {
			return errors.New("users are not being vacuumed")
		}
		return nil
	})
	s, err := Open(t.Context(), postgrestest.With(t, cluster.DSN(), "schema", "auth"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var done int
	cluster.Get(t, &done, `SELECT autovacuum_count FROM pg_stat_user_tables WHERE relid = 'auth.users'::regclass`)
	if done != 0 {
		t.Error("the migration has waited for the end of the vacuum")
	}
}

// TestVacuumOfAnotherDatabase has a table vacuumed in a copy of the database, where it has the same number.
func TestVacuumOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	cluster.Exec(t, `CREATE DATABASE auth`)
	at := func(name string) string { return strings.Replace(cluster.DSN(), "/postgres?", "/"+name+"?", 1) }
	s, err := Open(t.Context(), at("auth"))
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	cluster.Exec(t, `CREATE DATABASE copy TEMPLATE auth`)
	db, err := sql.Open("postgres", at("copy"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	vacuum, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer vacuum.Rollback()
	if _, err := vacuum.Exec(`LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"auth": false, "copy": true} {
		s, err := Open(t.Context(), at(name))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var tables []string
		if err := s.db.SelectContext(t.Context(), &tables, s.qualify(vacuumed)); err != nil || len(tables) > 0 != want {
			t.Errorf("%s: %v, %v, are being vacuumed", name, tables, err)
		}
	}
}
