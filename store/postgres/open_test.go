package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

func TestOpenRefuses(t *testing.T) {
	shared := postgrestest.DSN(t)
	conn := raw(t, shared)
	with := func(t *testing.T, statements func(schema string) []string) string {
		dsn := postgrestest.Schema(t)
		schema := schemaOf(t, dsn)
		run(t, conn, statements(schema)...)
		return dsn
	}
	tests := []struct {
		name string
		dsn  func(t *testing.T) string
		want string
	}{
		{"another program's tables", func(t *testing.T) string {
			return with(t, func(schema string) []string {
				return []string{`CREATE SCHEMA ` + schema, `CREATE TABLE ` + schema + `.users (id int)`}
			})
		}, "it has tables of another program: give authcompat a schema of its own"},
		{"a newer schema", func(t *testing.T) string {
			dsn := postgrestest.Schema(t)
			mustOpen(t, dsn)
			run(t, conn, `INSERT INTO `+schemaOf(t, dsn)+`.authcompat_migrations (version_id, is_applied) VALUES (1000, TRUE)`)
			return dsn
		}, "it is of a newer authcompat (schema 1000; this one knows "},
		{"no such database", func(t *testing.T) string {
			return strings.Replace(shared, "/postgres?", "/nowhere?", 1)
		}, `database "nowhere" does not exist`},
		{"nobody there", func(t *testing.T) string {
			return "postgres://ann:s3cret@127.0.0.1:1/db?sslmode=disable"
		}, "connection refused"},
		{"nobody at either", func(t *testing.T) string {
			return "postgres://ann:s3cret@127.0.0.1:1,127.0.0.1:2/db?sslmode=disable"
		}, `127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused; 127.0.0.1:2: dial tcp`},
		{"no encryption", func(t *testing.T) string {
			return strings.Replace(shared, "sslmode=disable", "", 1)
		}, "SSL is not enabled on the server"},
		{"an unknown parameter", func(t *testing.T) string {
			return postgrestest.With(t, shared, "colour", "red")
		}, `unrecognized configuration parameter "colour"`},
		{"read-only", func(t *testing.T) string {
			return postgrestest.With(t, shared, "default_transaction_read_only", "on")
		}, "session is read-only"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dsn := test.dsn(t)
			s, err := postgres.Open(t.Context(), dsn)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			t.Log(err)
			text := err.Error()
			if !strings.HasPrefix(text, "PostgreSQL database ") || !strings.Contains(text, test.want) ||
				strings.Contains(text, "\n") || strings.Contains(text, "s3cret") {
				t.Errorf("error %q, want %q", text, test.want)
			}
		})
	}
}

// TestOpenRefusesWrongPassword is separate, because it needs a server that requires
// one.
func TestOpenRefusesWrongPassword(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	cluster.Exec(t, `CREATE ROLE ann LOGIN PASSWORD 'right'`, `GRANT ALL ON SCHEMA public TO ann`)
	cluster.Authenticate(t, "scram-sha-256")
	dsn := func(password string) string {
		return fmt.Sprintf("postgres://ann:%s@127.0.0.1:%d/postgres?sslmode=disable", password, cluster.Port())
	}
	_, err := postgres.Open(t.Context(), dsn("wr0ng"))
	if err == nil || !strings.Contains(err.Error(), "password authentication failed") || strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("error %v", err)
	}
	s := mustOpen(t, dsn("right"))
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "bob"}, nil, nil); err != nil {
		t.Error(err)
	}
}

func TestOpenUnavailable(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://ann@127.0.0.1:1/db?sslmode=disable")
	if !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Open(over, postgrestest.DSN(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: error %v", err)
	}
}

// TestOpenTogether opens a new schema many times at once.
func TestOpenTogether(t *testing.T) {
	for range 3 {
		dsn := postgrestest.Schema(t, "wait", patient)
		stores := make([]*postgres.Store, 8)
		var done sync.WaitGroup
		for i := range stores {
			done.Go(func() {
				var err error
				if stores[i], err = postgres.Open(t.Context(), dsn); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if t.Failed() {
			return
		}
		if _, err := stores[0].CreateUser(t.Context(), core.NewUser{Username: "ann"}, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, s := range stores {
			if _, err := s.Account(t.Context(), "ann"); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestOpenTogetherUnlocked stands for engines without advisory locks: no migration is
// applied twice there either.
func TestOpenTogetherUnlocked(t *testing.T) {
	conn := raw(t, postgrestest.DSN(t))
	run(t, conn, `CREATE DATABASE unlocked`)
	t.Cleanup(func() { run(t, conn, `DROP DATABASE unlocked WITH (FORCE)`) })
	database := strings.Replace(postgrestest.DSN(t), "/postgres?", "/unlocked?", 1)
	run(t, raw(t, database), `ALTER FUNCTION pg_advisory_xact_lock(bigint) RENAME TO missing`)
	for round := range 3 {
		dsn := postgrestest.With(t, database, "schema", fmt.Sprint("round_", round), "wait", patient)
		var done sync.WaitGroup
		for range 8 {
			done.Go(func() {
				s, err := postgres.Open(t.Context(), dsn)
				if err != nil {
					t.Error(err)
					return
				}
				s.Close()
			})
		}
		done.Wait()
		s := mustOpen(t, dsn)
		if err := register(t.Context(), s, "ann"); err != nil {
			t.Error(err)
		}
	}
}

// TestRights checks that a role that may not change the schema can use it.
func TestRights(t *testing.T) {
	owner := postgrestest.Schema(t)
	mustOpen(t, owner)
	conn, schema := raw(t, postgrestest.DSN(t)), schemaOf(t, owner)
	role := schema + "_role"
	run(t, conn, `CREATE ROLE `+role+` LOGIN`, `GRANT USAGE ON SCHEMA `+schema+` TO `+role,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA `+schema+` TO `+role,
		`GRANT USAGE ON ALL SEQUENCES IN SCHEMA `+schema+` TO `+role)
	t.Cleanup(func() { run(t, conn, `DROP OWNED BY `+role, `DROP ROLE `+role) })
	s := mustOpen(t, strings.Replace(owner, "postgres@", role+"@", 1))
	number := 0
	for name, prepare := range operations() {
		number++
		op := prepare(t, s, number)
		if err := op.run(t.Context(), s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScratch(t *testing.T) {
	// The schema that the DSN names is not touched.
	dsn := postgrestest.Schema(t)
	a, cleanupA, err := postgres.OpenTemp(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	b, cleanupB, err := postgres.OpenTemp(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*postgres.Store{a, b} {
		if err := register(t.Context(), s, "ann"); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(cleanupA(), cleanupB()); err != nil {
		t.Error(err)
	}
	var left int
	err = raw(t, postgrestest.DSN(t)).QueryRowContext(t.Context(), `
		SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'authcompat_temp_%' OR schema_name = $1`,
		schemaOf(t, dsn)).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d schemas left, %v", left, err)
	}
}

// TestSchemas checks that two schemas of one database are independent.
func TestSchemas(t *testing.T) {
	a, b := mustOpen(t, postgrestest.Schema(t)), mustOpen(t, postgrestest.Schema(t))
	if err := register(t.Context(), a, "ann"); err != nil {
		t.Fatal(err)
	}
	if there(t, b, "ann") {
		t.Error("found in another schema")
	}
	if err := register(t.Context(), b, "ann"); err != nil {
		t.Error(err)
	}
}

// TestHostParameter connects with a DSN that has its host in a parameter.
func TestHostParameter(t *testing.T) {
	u, err := url.Parse(postgrestest.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("host", u.Hostname())
	query.Set("port", u.Port())
	u.Host, u.RawQuery = "", query.Encode()
	if err := mustOpen(t, u.String()).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
