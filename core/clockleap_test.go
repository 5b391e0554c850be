package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestClockLeap checks that logins while the clock is ahead lock nobody out when it is
// right again, and give no more guesses than one for each leap.
func TestClockLeap(t *testing.T) {
	g := newGuarded(t, few, many)
	ctx, right := from(t, "192.0.2.1"), g.now
	g.now = right.Add(365 * 24 * time.Hour)
	g.good(t, ctx, "john")
	g.try(t, ctx, "mary", "wrong", core.KindInvalidCredentials)
	g.now = right
	g.good(t, ctx, "john")
	g.good(t, ctx, "mary")
	if n := g.hashes(func() {
		for range 5 {
			g.try(t, ctx, "mary", "wrong", core.KindInvalidCredentials)
		}
	}); n != 1 {
		t.Errorf("%d guesses after the leap, want 1", n)
	}
	g.now = right.Add(few.Interval())
	g.good(t, ctx, "mary")
}

// sharedClock is the clock of a database.
type sharedClock struct{ now time.Time }

func (c *sharedClock) DatabaseTime(context.Context) (time.Time, error) { return c.now, nil }

// TestNodesApart checks that nodes with clocks that are apart count guesses together, by
// the clock of their database.
func TestNodesApart(t *testing.T) {
	passwords, err := hashing.NewDjangoHasher(1000)
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	shared := &sharedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	pool := hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10})
	node := func(ahead time.Duration) *core.Service {
		s := core.New(core.Config{
			Backend: core.Backend{Store: store, DatabaseClock: shared}, Hasher: pool, DatabaseKey: make([]byte, core.DatabaseKeySize),
			Clock: func() time.Time { return shared.now.Add(ahead) },
		})
		s.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: few, PerAddress: many, Registrations: core.Limit{Burst: 1, Window: time.Hour}})
		return s
	}
	if _, err := node(0).CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "john", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	before := pool.Counts().Done
	nodes := []*core.Service{node(0), node(time.Hour), node(-24 * time.Hour)}
	for range 5 {
		for _, s := range nodes {
			if _, err := s.Login(t.Context(), fixed, "john", "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
				t.Fatal(err)
			}
		}
	}
	if n := pool.Counts().Done - before; n != uint64(few.Burst) {
		t.Errorf("%d guesses were checked, want %d", n, few.Burst)
	}
	for i, s := range nodes {
		_, err := s.Register(from(t, "192.0.2.1"), core.Policy{Realm: core.DefaultRealm, TokenHex: 40}, core.Registration{Username: string(rune('a' + i)), Password: "secret"})
		if (i == 0) != (err == nil) {
			t.Errorf("registration at node %d: %v", i, err)
		}
	}
}

// TestMailsOfNodesApart checks that the mails of a node whose clock is apart are due at once, and not given up as old,
// by the clock of the database: any node may send them.
func TestMailsOfNodesApart(t *testing.T) {
	passwords, err := hashing.NewDjangoHasher(1000)
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	backend := store.Backend()
	shared := &sharedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	backend.DatabaseClock = shared
	for _, ahead := range []time.Duration{0, time.Minute, -25 * time.Hour} {
		s := core.New(core.Config{
			Backend: backend, Hasher: hashing.NewPool(passwords, hashing.PoolOptions{}), DatabaseKey: make([]byte, core.DatabaseKeySize),
			Clock: func() time.Time { return shared.now.Add(ahead) },
		})
		user := core.User{ID: 1, Username: "john"}
		if err := s.MailUser(t.Context(), core.Policy{Issuer: "api"}, core.MailPasswordChanged, user); err != nil {
			t.Fatal(err)
		}
		m, err := store.Backend().Mail.ClaimMail(t.Context(), shared.now, shared.now.Add(time.Minute))
		if err != nil || !m.CreatedAt.Equal(shared.now) {
			t.Errorf("ahead by %v: %+v, %v", ahead, m, err)
		}
	}
}
