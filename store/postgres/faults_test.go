package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// soon is the limit for operations that should take almost no time: machines may be
// busy.
const soon = 3 * time.Second

// raw returns a separate connection to the database of a DSN.
func raw(t *testing.T, dsn string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return conn
}

// run executes statements, also during cleanup.
func run(t *testing.T, conn *sql.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", statement, err))
		}
	}
}

// at opens a store on a cluster.
func at(t *testing.T, c *postgrestest.Cluster, parameters ...string) *postgres.Store {
	t.Helper()
	return mustOpen(t, postgrestest.With(t, c.DSN(), parameters...))
}

// crowd makes many calls at once, so that the store opens many connections, and returns
// their errors.
func crowd(t *testing.T, s *postgres.Store, key string) []error {
	t.Helper()
	errs := make([]error, 30)
	var done sync.WaitGroup
	for i := range errs {
		done.Go(func() {
			if i%3 == 0 {
				errs[i] = s.Ping(t.Context())
				return
			}
			_, _, errs[i] = s.FindToken(t.Context(), "default", core.Presented(key))
		})
	}
	done.Wait()
	return errs
}

// wantAway checks that each call fails, and fails quickly.
func wantAway(t *testing.T, s *postgres.Store, user core.User, most time.Duration) {
	t.Helper()
	began := time.Now()
	for i, err := range crowd(t, s, user.Username) {
		if !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("look-up %d: error %v", i, err)
		}
	}
	if took := time.Since(began); took > most {
		t.Errorf("look-ups failed after %v", took)
	}
	began = time.Now()
	if err := s.DeleteToken(t.Context(), core.Presented("nobody's").SHA256(), nil); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("delete: error %v", err)
	}
	if took := time.Since(began); took > most {
		t.Errorf("delete failed after %v", took)
	}
}

// wantBack checks that each call succeeds at once.
func wantBack(t *testing.T, s *postgres.Store, user core.User) {
	t.Helper()
	for i, err := range crowd(t, s, user.Username) {
		if err != nil {
			t.Errorf("look-up %d: %v", i, err)
		}
	}
	token := tokenOf(user, fmt.Sprint("issued at ", time.Now()))
	if err := s.IssueToken(t.Context(), token, "", 0, nil); err != nil {
		t.Errorf("issue: %v", err)
	}
}

// TestServerFails makes one server fail in several ways, one after the other.
func TestServerFails(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	t.Run("it is restarted", func(t *testing.T) { restarted(t, cluster) })
	t.Run("it is frozen", func(t *testing.T) { frozen(t, cluster) })
	t.Run("it becomes read-only", func(t *testing.T) { readOnly(t, cluster) })
	t.Run("it fails behind TLS", func(t *testing.T) { encrypted(t, cluster) })
}

// restarted stops the server in several ways, while connections are idle, and starts it
// again.
func restarted(t *testing.T, cluster *postgrestest.Cluster) {
	s := at(t, cluster, "schema", "restarted")
	user, _ := someone(t, s, 0)
	wantBack(t, s, user)
	for name, end := range map[string]func(testing.TB){
		"in order": cluster.Stop, "without order": cluster.Crash, "all at once": cluster.Kill,
	} {
		end(t)
		wantAway(t, s, user, soon)
		cluster.StartAgain(t)
		wantBack(t, s, user)
		// No call was made while it was away.
		end(t)
		cluster.StartAgain(t)
		wantBack(t, s, user)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// frozen stops the server's processes: its connections stay open, the system accepts
// new ones, and nothing answers.
func frozen(t *testing.T, cluster *postgrestest.Cluster) {
	const wait = 1500 * time.Millisecond // enough to reopen all connections
	s := at(t, cluster, "schema", "frozen", "wait", wait.String())
	user, _ := someone(t, s, 0)
	for range 2 {
		wantBack(t, s, user)
		cluster.Freeze(t)
		for range 2 { // on existing connections, and on new ones
			wantAway(t, s, user, wait+soon)
		}
		cluster.Thaw(t)
		began := time.Now()
		postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) })
		if took := time.Since(began); took > soon {
			t.Errorf("answers again after %v", took)
		}
	}
	wantBack(t, s, user)
}

// encrypted connects to the server through TLS while it is frozen and restarted.
func encrypted(t *testing.T, cluster *postgrestest.Cluster) {
	const wait = 1500 * time.Millisecond
	secure := []string{"schema", "encrypted", "wait", wait.String(), "sslmode", "verify-full", "sslrootcert", cluster.Encrypt(t)}
	var s *postgres.Store
	postgrestest.Eventually(t, func() (err error) { // until the server has read its settings
		s, err = postgres.Open(t.Context(), postgrestest.With(t, cluster.DSN(), secure...))
		return err
	})
	defer s.Close()
	user, _ := someone(t, s, 0)
	wantBack(t, s, user)
	var plain int
	cluster.Get(t, &plain, `SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'authcompat' AND NOT ssl`)
	if plain != 0 {
		t.Errorf("%d connections without TLS", plain)
	}
	cluster.Freeze(t)
	wantAway(t, s, user, wait+soon)
	cluster.Thaw(t)
	postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) })
	wantBack(t, s, user)
	cluster.Crash(t)
	wantAway(t, s, user, soon)
	cluster.StartAgain(t)
	postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) }) // new connections take time to encrypt
	wantBack(t, s, user)
}

// readOnly makes the server read-only and writable again.
func readOnly(t *testing.T, cluster *postgrestest.Cluster) {
	s := at(t, cluster, "schema", "read_only")
	user, _ := someone(t, s, 0)
	wantBack(t, s, user)
	for _, notice := range []func() error{
		func() error { return s.Ping(t.Context()) },
		func() error { return s.IssueToken(t.Context(), tokenOf(user, "refused"), "", 0, nil) },
	} {
		setReadOnly(t, cluster, "on")
		if err := notice(); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
		wantAway(t, s, user, soon)
		setReadOnly(t, cluster, "off")
		postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) })
		wantBack(t, s, user)
		if there(t, s, "refused") {
			t.Error("it was written")
		}
	}
}

// setReadOnly changes the server's default and waits until it applies.
func setReadOnly(t *testing.T, c *postgrestest.Cluster, value string) {
	t.Helper()
	conn := raw(t, c.DSN())
	run(t, conn, `SET default_transaction_read_only = off`, `ALTER SYSTEM SET default_transaction_read_only = `+value, `SELECT pg_reload_conf()`)
	postgrestest.Eventually(t, func() error {
		var now string
		c.Get(t, &now, `SHOW default_transaction_read_only`)
		if now != value {
			return fmt.Errorf("it is %s", now)
		}
		return nil
	})
}

// TestHosts has two servers. A store switches to the other one if one becomes
// read-only, is gone, or does not answer.
func TestHosts(t *testing.T) {
	t.Parallel()
	first, second := postgrestest.Start(t, postgrestest.Options{}), postgrestest.Start(t, postgrestest.Options{})
	someone(t, at(t, first), 0)
	user, _ := someone(t, at(t, second), 0) // who has the same ID and the same token on both
	setReadOnly(t, second, "on")
	const wait = 3 * time.Second
	s := mustOpen(t, fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&wait=%s", first.Port(), second.Port(), wait))
	where := func(c *postgrestest.Cluster) {
		t.Helper()
		wantBack(t, s, user)
		var count int
		c.Get(t, &count, `SELECT count(*) FROM tokens`)
		wantBack(t, s, user)
		var after int
		if c.Get(t, &after, `SELECT count(*) FROM tokens`); after != count+1 {
			t.Errorf("%d tokens after %d", after, count)
		}
	}
	where(first)
	setReadOnly(t, first, "on")
	setReadOnly(t, second, "off")
	_ = s.Ping(t.Context()) // it notices, or finds the other server
	where(second)
	setReadOnly(t, first, "off")
	second.Kill(t)
	where(first)
	second.StartAgain(t)
	first.Freeze(t)
	for s.Ping(t.Context()) == nil { // until it notices
	}
	where(second)
	// So does a new store that tries the silent server first.
	late := mustOpen(t, fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&wait=%s", first.Port(), second.Port(), wait))
	wantBack(t, late, user)
	first.Thaw(t)
}

// TestMintPanics checks that a panic in mint leaves no lock and no connection behind.
func TestMintPanics(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, postgrestest.Schema(t, "wait", "500ms", "pool_size", "2"))
	for range 3 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = s.CreateUser(t.Context(), core.NewUser{Username: "ann"}, func(core.User) (core.Token, error) { panic("mint") }, nil)
		}()
	}
	if _, err := s.Account(t.Context(), "ann"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("account: error %v", err)
	}
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann"}, nil, nil); err != nil {
		t.Error(err)
	}
}
