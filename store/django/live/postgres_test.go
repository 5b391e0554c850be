package live_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// soon is the limit for operations that should take almost no time: machines may be
// busy.
const soon = 8 * time.Second

// keyOf returns a key that the tests' tables can hold.
func keyOf(name string) core.Presented {
	return core.Presented(fmt.Sprintf("%x", core.Presented(name).SHA256()))
}

// issue gives a user a token.
func issue(t *testing.T, s core.Store, u core.User, name string) {
	t.Helper()
	key := keyOf(name)
	token := core.Token{Digest: key.SHA256(), Plaintext: key, UserID: u.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
	if err := s.IssueToken(t.Context(), token, "", 0, nil); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, s core.Store, name string) error {
	t.Helper()
	_, _, err := s.FindToken(t.Context(), core.DefaultRealm, keyOf(name))
	return err
}

// calls are those that checks and logins make.
func calls(t *testing.T, s *live.Store, u core.User) map[string]func() error {
	t.Helper()
	key := keyOf("another")
	token := core.Token{Digest: key.SHA256(), Plaintext: key, UserID: u.ID, Realm: core.DefaultRealm, CreatedAt: time.Now()}
	guess := core.LimitKey{Key: []byte("name"), Limit: core.Limit{Burst: 100, Window: time.Hour}}
	return map[string]func() error{
		"check": func() error { return find(t, s, "first") },
		"account": func() error {
			_, err := s.Account(t.Context(), "ann")
			return err
		},
		"limit": func() error {
			_, err := s.Reserve(t.Context(), time.Now(), guess)
			return err
		},
		"issue": func() error { return s.IssueToken(t.Context(), token, "", 0, nil) },
		"ping":  func() error { return s.Ping(t.Context()) },
		"count": func() error {
			_, err := s.AuditEntries(t.Context(), core.AuditFilter{}, 10)
			return err
		},
	}
}

// TestSilentServer has a network that stops forwarding: each call fails within the wait,
// on existing connections and on new ones, and all succeed when the network is back.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	dsn := postgresDSN(t, djangotest.UsersDDL, djangotest.KnoxDDL)
	proxy, through := postgrestest.NewSharedProxy(t, dsn)
	s := mustOpen(t, through).(*live.Store)
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	issue(t, s, user, "first")
	const wait = 2 * time.Second // by default
	proxy.Judge(func(string) postgrestest.Action { return postgrestest.Silence })
	for _, connections := range []string{"existing", "new"} {
		var done sync.WaitGroup
		for name, call := range calls(t, s, user) {
			done.Go(func() {
				began := time.Now()
				if err := call(); !errors.Is(err, core.ErrUnavailable) {
					t.Errorf("%s connections: %s: error %v", connections, name, err)
				}
				if took := time.Since(began); took > wait+soon {
					t.Errorf("%s connections: %s: failed after %v", connections, name, took)
				}
			})
		}
		done.Wait()
	}
	proxy.Judge(nil)
	postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) })
	for _, call := range calls(t, s, user) {
		postgrestest.Eventually(t, call)
	}
}

// TestAmbiguousCommit loses the connection while the server commits: the call fails, since
// nobody knows the outcome.
func TestAmbiguousCommit(t *testing.T) {
	t.Parallel()
	proxy, through := postgrestest.NewSharedProxy(t, postgresDSN(t, djangotest.UsersDDL, djangotest.KnoxDDL))
	s := mustOpen(t, postgrestest.With(t, through, "wait", patient))
	proxy.Judge(func(request string) postgrestest.Action {
		if strings.HasPrefix(request, "COMMIT") {
			return postgrestest.CutAfter
		}
		return postgrestest.Pass
	})
	if _, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	proxy.Judge(nil)
	if _, err := s.Account(t.Context(), "ann"); err != nil {
		t.Errorf("it was committed: %v", err)
	}
}

// onHosts opens a store whose DSN names several servers.
func onHosts(t *testing.T, clusters ...*postgrestest.Cluster) *live.Store {
	t.Helper()
	var hosts []string
	for _, c := range clusters {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", c.Port()))
	}
	return mustOpen(t, "postgres://postgres@"+strings.Join(hosts, ",")+"/postgres?sslmode=disable&wait=10s").(*live.Store)
}

// TestOnlyThePrimary has a primary and a standby that lags: a deleted token is never
// found, while the primary is away, and after they have changed places.
func TestOnlyThePrimary(t *testing.T) {
	t.Parallel()
	primary := postgrestest.Start(t, postgrestest.Options{})
	mustMake(t, "postgres", primary.DSN(), "serial PRIMARY KEY", "timestamp with time zone", djangotest.UsersDDL, djangotest.KnoxDDL)
	s := onHosts(t, primary)
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	issue(t, s, user, "first")
	standby := postgrestest.StartStandby(t, primary, "second", postgrestest.Options{})
	s = onHosts(t, primary, standby)
	standby.Exec(t, `SELECT pg_wal_replay_pause()`)
	if err := s.DeleteToken(t.Context(), keyOf("first").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	var left int
	if standby.Get(t, &left, `SELECT count(*) FROM knox_authtoken`); left != 1 {
		t.Fatalf("the standby has %d tokens", left)
	}
	for range 5 {
		if err := find(t, onHosts(t, standby, primary), "first"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("with the standby first: error %v", err)
		}
	}
	primary.Stop(t)
	for range 5 {
		if err := find(t, s, "first"); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("without the primary: error %v", err)
		}
	}
	standby.Exec(t, `SELECT pg_wal_replay_resume()`)
	standby.Promote(t)
	postgrestest.Eventually(t, func() error { return s.Ping(t.Context()) })
	issue(t, s, user, "second")
	primary.Follow(t, standby, "first")
	primary, standby = standby, primary
	standby.Exec(t, `SELECT pg_wal_replay_pause()`)
	if err := s.DeleteToken(t.Context(), keyOf("second").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*live.Store{s, onHosts(t, standby, primary)} {
		if err := find(t, s, "second"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("after the switch: error %v", err)
		}
	}
	if _, err := live.Open(t.Context(), standby.DSN(), tables.Mapping{}); err == nil || !strings.Contains(err.Error(), "hot standby") {
		t.Errorf("the standby alone: error %v", err)
	}
	// The primary becomes one that takes no writes: the store isn't ready.
	primary.Exec(t, `ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`)
	postgrestest.Eventually(t, func() error {
		if err := s.Ping(t.Context()); !errors.Is(err, core.ErrUnavailable) {
			return fmt.Errorf("ready: %v", err)
		}
		return nil
	})
}

// TestPoolerAtStandby has a pooler stay with a primary that has become a standby, and lags: nothing is read there.
func TestPoolerAtStandby(t *testing.T) {
	t.Parallel()
	first := postgrestest.Start(t, postgrestest.Options{})
	mustMake(t, "postgres", first.DSN(), "serial PRIMARY KEY", "timestamp with time zone", djangotest.UsersDDL, djangotest.KnoxDDL)
	s := onHosts(t, first)
	user, err := s.CreateUser(t.Context(), core.NewUser{Username: "ann", PasswordHash: "!"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	issue(t, s, user, "first")
	second := postgrestest.StartStandby(t, first, "second", postgrestest.Options{})
	pooled := mustOpen(t, postgrestest.Pooler(t, first.DSN(), 4)).(*live.Store)
	if err := find(t, pooled, "first"); err != nil {
		t.Fatal(err)
	}
	first.Stop(t)
	second.Promote(t)
	first.Follow(t, second, "first")
	first.Exec(t, `SELECT pg_wal_replay_pause()`)
	if err := onHosts(t, second).DeleteToken(t.Context(), keyOf("first").SHA256(), nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for name, call := range calls(t, pooled, user) {
			if err := call(); !errors.Is(err, core.ErrUnavailable) {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
}

// TestOpenRefuses covers what a DSN can't say.
func TestOpenRefuses(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://ann:s3cret@db/old?schema=x":                      "database: schema is for authcompat's own tables: give Django's as search_path=NAME",
		"postgres://ann:s3cret@db/old?target_session_attrs=any":      "database: target_session_attrs=any: want read-write",
		"postgres://ann:s3cret@127.0.0.1:1/old?sslmode=disable":      `PostgreSQL database "old" at 127.0.0.1:1: `,
		"postgres://ann:Pa@ss/wo-s3cret@127.0.0.1/old?sslmode=allow": "database: the URL can't be read",
	} {
		_, err := live.Open(t.Context(), dsn, tables.Mapping{})
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestOpenTogether opens a database many times at once, whose auxiliary tables are
// missing.
func TestOpenTogether(t *testing.T) {
	dsn := postgrestest.With(t, postgresDSN(t, djangotest.UsersDDL, djangotest.KnoxDDL), "wait", patient)
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			s, err := live.Open(t.Context(), dsn, tables.Mapping{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}
