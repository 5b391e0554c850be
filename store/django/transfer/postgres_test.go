package transfer_test

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// pgUsers creates users u0, u1, … with a token each in a schema of its own, and returns
// its DSN and a function that runs statements in it.
func pgUsers(t *testing.T, n int, key string) (dsn string, exec func(...string)) {
	t.Helper()
	schema := "django_" + strings.ToLower(rand.Text())
	dsn = postgrestest.With(t, postgrestest.DSN(t), "search_path", schema)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec(`DROP SCHEMA ` + schema + ` CASCADE`); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	exec = func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	exec(`CREATE SCHEMA `+schema, `CREATE TABLE auth_user (id `+key+` PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz NULL, username varchar(150) NOT NULL UNIQUE,
		email varchar(254) NOT NULL, is_active boolean NULL, date_joined timestamptz NOT NULL)`,
		`CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created timestamptz NOT NULL, user_id `+strings.Replace(key, "serial", "integer", 1)+` NOT NULL UNIQUE REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)`)
	for i := range n {
		id, name := fmt.Sprint(i+1), fmt.Sprint("u", i)
		if key == "uuid" {
			id = fmt.Sprintf("'00000000-0000-4000-8000-%012d'", 100-i)
		}
		exec(fmt.Sprintf(`INSERT INTO auth_user VALUES (%s, '%s', NULL, '%s', '%s@example.org', true, %s)`, id, hashed(name), name, name, joined),
			fmt.Sprintf(`INSERT INTO authtoken_token VALUES ('%s', %s, %s)`, text(name), joined, id))
	}
	return dsn, exec
}

// asRole creates a role without any rights, and returns its name and its DSN.
func asRole(t *testing.T, dsn string, exec func(...string)) (role, as string) {
	t.Helper()
	role = fmt.Sprintf("reader_%x", []byte(t.Name())[len(t.Name())-6:])
	exec(`DROP ROLE IF EXISTS `+role, `CREATE ROLE `+role+` LOGIN`)
	t.Cleanup(func() { exec(`DROP OWNED BY `+role, `DROP ROLE `+role) })
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return role, u.String()
}

// schemaOf returns the schema in a DSN of postgrestest.
func schemaOf(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("search_path")
}

// TestUnseenIsNotGone revokes rights of the role that reads.
func TestUnseenIsNotGone(t *testing.T) {
	for _, test := range []struct{ name, sql, remedy string }{
		{"REVOKE", `REVOKE SELECT ON authtoken_token FROM %s`, "GRANT SELECT"},
		{"no right to the users", `REVOKE SELECT ON auth_user FROM %s`, "GRANT SELECT"},
		{"row-level security", `ALTER TABLE authtoken_token ENABLE ROW LEVEL SECURITY -- %s`, "BYPASSRLS"},
		{"row-level security of users", `ALTER TABLE auth_user ENABLE ROW LEVEL SECURITY -- %s`, "BYPASSRLS"},
		{"no right to the schema", `REVOKE USAGE ON SCHEMA "` + "SCHEMA" + `" FROM %s`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dsn, exec := pgUsers(t, 3, "serial")
			role, as := asRole(t, dsn, exec)
			schema := schemaOf(t, dsn)
			exec(fmt.Sprintf(`GRANT USAGE ON SCHEMA "%s" TO %s`, schema, role), `GRANT SELECT ON auth_user, authtoken_token TO `+role)
			h := mustHouse(t)
			if _, err := h.both(t, tables.Mapping{}, nil, as); err != nil {
				t.Fatal(err)
			}
			exec(strings.Replace(fmt.Sprintf(test.sql, role), "SCHEMA\"", schema+"\"", 1))
			_, err := h.both(t, tables.Mapping{}, nil, as)
			if err == nil || !contains(err.Error(), test.remedy) || contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, test.remedy)
			}
			h.wantOwners(t, map[string]string{text("u0"): "u0", text("u1"): "u1", text("u2"): "u2"})
		})
	}
}

// TestSourceIsOnlyRead has a view of users that draws from a sequence, which no rollback
// would undo: the source refuses it, and stays as it was.
func TestSourceIsOnlyRead(t *testing.T) {
	dsn, exec := pgUsers(t, 3, "serial")
	exec(`CREATE SEQUENCE readings`, `ALTER TABLE auth_user RENAME TO people`,
		`CREATE VIEW auth_user AS SELECT * FROM people WHERE nextval('readings') > 0`)
	_, err := mustHouse(t).both(t, tables.Mapping{UserTable: "auth_user", ID: "id"}, nil, dsn)
	if err == nil || !contains(err.Error(), "read-only transaction") {
		t.Errorf("error %v", err)
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var drawn bool
	if err := db.QueryRow(`SELECT is_called FROM readings`).Scan(&drawn); err != nil || drawn {
		t.Errorf("the source was changed: %t, %v", drawn, err)
	}
}

// TestPostgresShapes has user bases that are possible on PostgreSQL only.
func TestPostgresShapes(t *testing.T) {
	want := map[string]string{text("u0"): "u0", text("u1"): "u1", text("u2"): "u2"}
	take := func(t *testing.T, m tables.Mapping, dsn string) house {
		t.Helper()
		h := mustHouse(t)
		report, err := h.both(t, m, nil, dsn)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Problems) > 0 {
			t.Errorf("problems: %v", report.Problems)
		}
		h.wantOwners(t, want)
		return h
	}
	t.Run("uuid", func(t *testing.T) {
		dsn, _ := pgUsers(t, 3, "uuid")
		take(t, tables.Mapping{}, dsn)
		if _, err := live.Open(t.Context(), dsn, tables.Mapping{}); err == nil || !contains(err.Error(), "whole number") {
			t.Errorf("attach: %v", err)
		}
	})
	t.Run("infinity", func(t *testing.T) {
		dsn, exec := pgUsers(t, 3, "serial")
		exec(`UPDATE auth_user SET date_joined = '-infinity'`, `UPDATE auth_user SET date_joined = 'infinity' WHERE id = 1`)
		h := take(t, tables.Mapping{}, dsn)
		for name, want := range map[string]string{"u0": "9999-12-31T23:59:59.999999Z", "u1": "0001-01-01T00:00:00.000001Z"} { // as psycopg2 reads them
			account, err := h.store.Account(t.Context(), name)
			if got := account.CreatedAt.Format(time.RFC3339Nano); err != nil || got != want {
				t.Errorf("%s joined %s, want %s: %v", name, got, want, err)
			}
		}
	})
	t.Run("another schema", func(t *testing.T) {
		dsn, _ := pgUsers(t, 3, "serial")
		schema := schemaOf(t, dsn)
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Del("search_path")
		u.RawQuery = q.Encode()
		_, err = mustHouse(t).both(t, tables.Mapping{}, nil, u.String())
		if err == nil || !contains(err.Error(), "--user-table") {
			t.Errorf("error %v, want one that names --user-table", err)
		}
		take(t, tables.Mapping{UserTable: schema + ".auth_user"}, u.String())
	})
	t.Run("views", func(t *testing.T) {
		dsn, exec := pgUsers(t, 3, "serial")
		exec(`CREATE VIEW people AS SELECT * FROM auth_user WHERE id > 0`)
		take(t, tables.Mapping{UserTable: "people", ID: "id", TokenTables: tables.Names{"authtoken_token"}}, dsn)
	})
	t.Run("citext", func(t *testing.T) {
		dsn, exec := pgUsers(t, 3, "serial")
		exec(`CREATE EXTENSION IF NOT EXISTS citext SCHEMA public`, `ALTER TABLE auth_user ALTER username TYPE public.citext`)
		h := mustHouse(t)
		report, err := h.both(t, tables.Mapping{}, nil, dsn)
		if err != nil || !contains(strings.Join(report.Notes, "\n"), "username_case") {
			t.Errorf("notes %v, %v", report.Notes, err)
		}
		take(t, tables.Mapping{UsernameCase: "lower"}, dsn)
	})
	t.Run("pgbouncer in transaction mode", func(t *testing.T) {
		dsn, _ := pgUsers(t, 3, "serial")
		schema := schemaOf(t, dsn)
		u, err := url.Parse(postgrestest.Pooler(t, dsn, 2))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Del("search_path") // a startup parameter that pgbouncer refuses
		u.RawQuery = q.Encode()
		take(t, tables.Mapping{UserTable: schema + ".auth_user"}, u.String())
	})
}

// TestWayBackRowByRow exports into a user table whose constraints refuse some rows.
func TestWayBackRowByRow(t *testing.T) {
	dsn, exec := pgUsers(t, 2, "serial")
	h := mustHouse(t)
	if _, err := h.both(t, tables.Mapping{}, nil, dsn); err != nil {
		t.Fatal(err)
	}
	exec(`ALTER TABLE auth_user ALTER email DROP NOT NULL, ADD UNIQUE (email), ADD COLUMN public uuid, ADD COLUMN team integer,
		ADD COLUMN shout text GENERATED ALWAYS AS (upper(username::text)) STORED`,
		`UPDATE auth_user SET public = '00000000-0000-4000-8000-000000000001'`, `ALTER TABLE auth_user ALTER public SET NOT NULL`,
		`CREATE TABLE teams (id integer PRIMARY KEY)`, `INSERT INTO teams VALUES (7)`,
		`UPDATE auth_user SET team = 7`, `ALTER TABLE auth_user ALTER team SET NOT NULL, ADD FOREIGN KEY (team) REFERENCES teams DEFERRABLE INITIALLY DEFERRED`,
		// A stranger registered there with the ID that the first new user has here.
		`INSERT INTO auth_user (id, password, username, is_active, date_joined, public, team) VALUES (3, '!', 'stranger', true, now(), '00000000-0000-4000-8000-000000000003', 7)`)
	tokens := map[string]string{}
	for _, name := range []string{"taken", "new1", "new2"} {
		session, err := h.service.Register(t.Context(), policy, core.Registration{Username: name, Password: "pw-" + name})
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = session.Key
	}
	// Without defaults the foreign key refuses each new user, and nothing else.
	report := h.give(t, dsn)
	if report.Users.Refused != 3 || report.Tokens.Refused != 3 || report.Tokens.Unchanged != 2 {
		t.Errorf("without defaults: %+v", report)
	}
	to, err := tables.OpenTarget(t.Context(), dsn, tables.Mapping{Defaults: map[string]string{"team": "7"}}, utc)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	report, err = exportTo(t, h, to)
	if err != nil || report.Users.Added != 3 || report.Users.Refused > 0 || report.Tokens.Added != 3 || report.Tokens.Refused > 0 {
		t.Fatalf("with defaults: %+v, %v", report, err)
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT u.username, k.key FROM authtoken_token k JOIN auth_user u ON u.id = k.user_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, key string
		if err := rows.Scan(&name, &key); err != nil {
			t.Fatal(err)
		}
		if own, fresh := tokens[name]; fresh && own != key || name == "stranger" {
			t.Errorf("%s has a token that is not theirs", name)
		}
	}
	if again, err := exportTo(t, h, to); err != nil || again.Users.Added+again.Users.Updated+again.Tokens.Added > 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// TestNoTLS checks the advice for a server without TLS.
func TestNoTLS(t *testing.T) {
	u, err := url.Parse(postgrestest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("sslmode", "require")
	u.RawQuery = q.Encode()
	if _, err := tables.Open(t.Context(), tables.Mapping{}, u.String()); err == nil || !contains(err.Error(), "sslmode=disable") {
		t.Errorf("error %v, want one that names sslmode=disable", err)
	}
}
