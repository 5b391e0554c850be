package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// skewed is two nodes on one store whose clocks are set by a test. real is the time that
// passes for everybody.
type skewed struct {
	t      *testing.T
	random *rand.Rand
	real   time.Time
	// clocks are those that leap: of each node, or one that both have; and that of the
	// database.
	clocks   []*leapingClock
	counting *leapingClock // the one that limits go by
	nodes    []*skewedNode
	admin    core.Admin // nil: the store has none
	reader   core.TokenReader
	limiter  core.RateLimiter

	victims map[string]*victim
	tokens  []*skewedToken
	counts  struct{ steps, leaps, guesses, hashed, logins, lockedOut, uses, purged int }
}

// leapingClock is ahead of the real time, or behind it.
type leapingClock struct {
	s     *skewed
	ahead time.Duration
	leaps []leap
}

type leap struct {
	at      time.Time // real
	forward bool
}

func (c *leapingClock) now() time.Time { return c.s.real.Add(c.ahead) }

// DatabaseTime implements [core.DatabaseClock].
func (c *leapingClock) DatabaseTime(context.Context) (time.Time, error) { return c.now(), nil }

type skewedNode struct {
	*core.Service
	clock *leapingClock
	pool  *hashing.Pool
}

// victim is a user at whose password others guess.
type victim struct {
	guessed time.Time // the last wrong guess, real
	hashed  []hashedGuesses
}

type hashedGuesses struct {
	at time.Time // real
	n  int
}

const victims = 3

var (
	guessLimit = core.Limit{Burst: 5, Window: 10 * time.Minute}
	slidingFor = core.Policy{Issuer: "x", Realm: core.DefaultRealm, TokenHex: 40, TTL: 10 * time.Minute, Sliding: true, TellThrottled: true}
)

// TestSkew has two nodes on a store log users in, count guesses and use sliding tokens while
// clocks leap by seconds to years, and checks after each step what has to hold. What limits
// count goes by one clock: on PostgreSQL by the database's, and on SQLite by that of the
// machine, on which both nodes are. Django's tables are the third store.
func TestSkew(t *testing.T) {
	seed := uint64(number(t, "AUTHCOMPAT_SKEW_SEED", int(time.Now().UnixNano())))
	t.Logf("AUTHCOMPAT_SKEW_SEED=%d", seed)
	postgres := func(t *testing.T) string { return postgrestest.Start(t, postgrestest.Options{}).DSN() }
	djangoPostgres := func(t *testing.T) string {
		dsn := postgres(t)
		mustMakeKnox(t, "postgres", dsn)
		return "django+" + dsn
	}
	djangoSQLite := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "django.sqlite3")
		mustMakeKnox(t, "sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
		return "django+sqlite:" + path
	}
	for _, tt := range []struct {
		name string
		dsn  func(t *testing.T) string
		// nodes and database say whose clocks leap; shared, that the nodes have one.
		nodes, database, shared bool
	}{
		{name: "PostgreSQL, nodes leap", dsn: postgres, nodes: true},
		{name: "PostgreSQL, all leap", dsn: postgres, nodes: true, database: true},
		{name: "SQLite, the machine leaps", dsn: func(t *testing.T) string { return database(t) }, nodes: true, shared: true},
		{name: "Django's tables on PostgreSQL, nodes leap", dsn: djangoPostgres, nodes: true},
		{name: "Django's tables on PostgreSQL, all leap", dsn: djangoPostgres, nodes: true, database: true},
		{name: "Django's tables on SQLite, the machine leaps", dsn: djangoSQLite, nodes: true, shared: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSkewed(t, seed, tt.dsn(t), tt.shared)
			s.run(count(300, 5000), tt.nodes, tt.database)
			t.Logf("%+v", s.counts)
		})
	}
}

// newSkewed opens the store twice.
func newSkewed(t *testing.T, seed uint64, dsn string, shared bool) *skewed {
	t.Helper()
	s := &skewed{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), real: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), victims: make(map[string]*victim),
	}
	ofDatabase := &leapingClock{s: s}
	s.counting = ofDatabase
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		backend, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = backend.Close() })
		n := &skewedNode{clock: &leapingClock{s: s}, pool: hashing.NewPool(hasher, hashing.PoolOptions{Threads: 2, Queue: 100})}
		if shared && len(s.nodes) > 0 {
			n.clock = s.nodes[0].clock
		}
		if backend.DatabaseClock != nil {
			backend.DatabaseClock = ofDatabase
		} else {
			s.counting = n.clock
		}
		if s.counting != n.clock || len(s.nodes) == 0 {
			s.clocks = append(s.clocks, n.clock)
		}
		n.Service = core.New(core.Config{
			Backend: backend.Backend, Hasher: n.pool, DatabaseKey: make([]byte, core.DatabaseKeySize), Clock: n.clock.now,
		})
		n.SetLoginLimits(&core.LoginLimits{Limiter: backend.RateLimiter, PerUser: guessLimit, PerAddress: core.Limit{Burst: 1000, Window: time.Minute}})
		s.nodes, s.admin, s.reader, s.limiter = append(s.nodes, n), backend.Admin, backend.Tokens, backend.RateLimiter
	}
	for i := range victims {
		name := fmt.Sprintf("victim-%d", i)
		s.victims[name] = new(victim)
		s.create(name)
	}
	s.create("quiet")
	return s
}

func (s *skewed) create(name string) {
	s.t.Helper()
	if _, err := s.nodes[0].CreateUser(s.t.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret"}); err != nil {
		s.t.Fatal(err)
	}
}

// run makes so many steps.
func (s *skewed) run(steps int, nodesLeap, databaseLeaps bool) {
	leaping := s.clocks
	if !nodesLeap {
		leaping = nil
	}
	if databaseLeaps {
		leaping = append(leaping, s.counting)
	}
	for s.counts.steps = 1; s.counts.steps <= steps; s.counts.steps++ {
		s.real = s.real.Add(time.Duration(s.random.Int64N(int64(20 * time.Second))))
		name := fmt.Sprintf("victim-%d", s.random.IntN(victims))
		node := s.nodes[s.random.IntN(len(s.nodes))]
		switch s.random.IntN(14) {
		case 0:
			s.leap(leaping[s.random.IntN(len(leaping))])
		case 1, 2, 3:
			s.guess(name)
		case 4:
			s.recover(name)
		case 5:
			s.wantLogin(node, "quiet")
		case 6, 7:
			s.login(node)
		case 8:
			s.logout(node)
		case 9:
			s.useAtOnce()
		case 10:
			s.collect(databaseLeaps || len(s.clocks) == 1)
		default:
			s.use(node)
		}
		if s.t.Failed() {
			s.t.Fatalf("after step %d", s.counts.steps)
		}
	}
}

// leap sets a clock.
func (s *skewed) leap(c *leapingClock) {
	const hour = time.Hour
	apart := []time.Duration{0, time.Second, 20 * time.Second, 50 * time.Second, 2 * time.Minute, 9 * time.Minute, hour, 30 * hour, 365 * 24 * hour, 10 * 365 * 24 * hour}
	to := apart[s.random.IntN(len(apart))]
	if s.random.IntN(2) == 0 {
		to = -to
	}
	if to != c.ahead {
		c.leaps = append(c.leaps, leap{s.real, to > c.ahead})
		s.counts.leaps++
	}
	c.ahead = to
}

// guess has clients of both nodes guess a password at the same time. In any window of real
// time, no more are checked than a limit's burst, those that come back in the window, and
// what a leap of the clock that counts gives back: forward a burst, backward one.
func (s *skewed) guess(name string) {
	v := s.victims[name]
	v.guessed = s.real
	before := s.hashes()
	var all sync.WaitGroup
	for range 4 {
		for _, n := range s.nodes {
			all.Go(func() {
				_, err := n.Login(s.t.Context(), slidingFor, name, "wrong")
				if kind := core.KindOf(err); kind != core.KindInvalidCredentials && kind != core.KindThrottled {
					s.t.Errorf("a wrong guess: %v", err)
				}
			})
			s.counts.guesses++
		}
	}
	all.Wait()
	hashed := s.hashes() - before
	s.counts.hashed += hashed
	v.hashed = append(v.hashed, hashedGuesses{s.real, hashed})
	since := s.real.Add(-guessLimit.Window)
	checked, most := 0, 2*guessLimit.Burst
	for _, h := range v.hashed {
		if h.at.After(since) {
			checked += h.n
		}
	}
	for _, l := range s.counting.leaps {
		if !l.at.Before(since) && l.forward {
			most += guessLimit.Burst
		} else if !l.at.Before(since) {
			most++
		}
	}
	if checked > most {
		s.t.Errorf("%d guesses at %s were checked within %v, at most %d may be", checked, name, guessLimit.Window, most)
	}
}

// hashes returns how many hashes were computed.
func (s *skewed) hashes() (n int) {
	for _, node := range s.nodes {
		n += int(node.pool.Counts().Done)
	}
	return n
}

// recover lets the time pass in which a user's right password works again.
func (s *skewed) recover(name string) {
	if over := s.victims[name].guessed.Add(guessLimit.Interval()); s.real.Before(over) {
		s.real = over
	}
	for _, n := range s.nodes {
		s.wantLogin(n, name)
	}
}

// wantLogin logs in with the right password. If the clock that counts has leapt, what it
// left may look like guesses for a while, but never for longer than one takes to come back,
// and what a clock may be off (see [core.ClockLeap]).
func (s *skewed) wantLogin(n *skewedNode, name string) *skewedToken {
	session, err := n.Login(s.t.Context(), slidingFor, name, "secret")
	if wait := core.RetryAfter(err); len(s.counting.leaps) > 0 && wait > 0 && wait <= guessLimit.Interval()+core.ClockLeap {
		s.counts.lockedOut++
		s.real = s.real.Add(wait)
		session, err = n.Login(s.t.Context(), slidingFor, name, "secret")
	}
	if err != nil {
		s.t.Errorf("%s is locked out: %v, retry after %v", name, err, core.RetryAfter(err))
		return nil
	}
	s.counts.logins++
	return &skewedToken{key: session.Key, digest: session.Token.Digest, userID: session.User.ID}
}
