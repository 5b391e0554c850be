package core_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// guarded is an engine with a pool, limits and an audit record, on a real store.
type guarded struct {
	*core.Service
	pool   *hashing.Pool
	audit  core.Auditor
	events map[string]int
	mu     sync.Mutex
	now    time.Time
}

func newGuarded(t *testing.T, account, address core.Limit) *guarded {
	t.Helper()
	passwords, err := hashing.NewDjangoHasher(1000)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	g := &guarded{
		pool: hashing.NewPool(passwords, hashing.PoolOptions{Threads: 2, Queue: 1000}), audit: store,
		events: make(map[string]int), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	g.Service = core.New(core.Config{
		Backend: core.Backend{Store: store, Accounts: store, Auditor: store}, Hasher: g.pool, Sealer: sealer, DatabaseKey: make([]byte, core.DatabaseKeySize),
		Clock: func() time.Time { return g.now },
		OnEvent: func(act core.Action, profile, outcome string) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.events[string(act)+" "+outcome]++
		},
	})
	g.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: account, PerAddress: address})
	for _, name := range []string{"john", "mary"} {
		if _, err := g.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret"}); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func from(t *testing.T, address string) context.Context {
	t.Helper()
	return clients.With(t.Context(), func() clients.Client {
		return clients.Client{Address: netip.MustParseAddr(address), RequestID: "r"}
	})
}

func (g *guarded) try(t *testing.T, ctx context.Context, name, plain string, want core.Kind) {
	t.Helper()
	_, err := g.Login(ctx, fixed, name, plain)
	if got := core.KindOf(err); err == nil || got != want {
		t.Errorf("login %s: %v, want %v", name, err, want)
	}
}

func (g *guarded) good(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if _, err := g.Login(ctx, fixed, name, "secret"); err != nil {
		t.Errorf("login %s: %v", name, err)
	}
}

// hashes returns how many hashes a function computes.
func (g *guarded) hashes(do func()) uint64 {
	before := g.pool.Counts().Done
	do()
	return g.pool.Counts().Done - before
}

var (
	few  = core.Limit{Burst: 3, Window: 3 * time.Minute}
	many = core.Limit{Burst: 1000, Window: time.Hour}
)

func TestGuessesAtAnAccountAreLimited(t *testing.T) {
	for _, name := range []string{"john", "nobody"} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, few, many)
			for i := range 3 {
				g.try(t, from(t, "192.0.2."+string(rune('1'+i))), name, "wrong", core.KindInvalidCredentials)
			}
			if n := g.hashes(func() {
				g.try(t, from(t, "192.0.2.9"), name, "secret", core.KindInvalidCredentials)
				told := fixed
				told.TellThrottled = true
				_, err := g.Login(t.Context(), told, name, "secret")
				if core.KindOf(err) != core.KindThrottled || core.RetryAfter(err) != time.Minute {
					t.Errorf("told: %v, retry after %v", err, core.RetryAfter(err))
				}
			}); n != 0 {
				t.Errorf("%d hashes for a locked account", n)
			}
			if g.events["login throttled"] != 2 {
				t.Errorf("events %v", g.events)
			}
			g.good(t, t.Context(), "mary")
			g.now = g.now.Add(time.Minute)
			if name == "john" {
				g.good(t, t.Context(), name)
				g.good(t, t.Context(), name)
			}
			g.try(t, t.Context(), name, "wrong", core.KindInvalidCredentials)
			if n := g.hashes(func() { g.try(t, t.Context(), name, "wrong", core.KindInvalidCredentials) }); n != 0 {
				t.Error("a second guess was hashed after one was free again")
			}
		})
	}
}

// TestLoginsAtOnce makes more parallel logins than the limit allows guesses: every right password
// succeeds, and no more wrong ones are hashed than the limit allows.
func TestLoginsAtOnce(t *testing.T) {
	const logins = 40
	for name, limits := range map[string][2]core.Limit{"account": {few, many}, "address": {many, few}} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, limits[0], limits[1])
			ctx := from(t, "192.0.2.1")
			var right, wrong sync.WaitGroup
			for range logins {
				right.Go(func() { g.good(t, ctx, "john") })
			}
			right.Wait()
			n := g.hashes(func() {
				for range logins {
					wrong.Go(func() { g.try(t, ctx, "john", "wrong", core.KindInvalidCredentials) })
				}
				wrong.Wait()
			})
			if n != uint64(few.Burst) {
				t.Errorf("%d hashes for %d guesses, want %d", n, logins, few.Burst)
			}
		})
	}
}

func TestGuessesFromAnAddressAreLimited(t *testing.T) {
	g := newGuarded(t, many, few)
	for _, name := range []string{"john", "mary", "nobody"} {
		g.try(t, from(t, "2001:db8::1"), name, "wrong", core.KindInvalidCredentials)
	}
	for name, test := range map[string]struct {
		address string
		hashes  uint64
	}{
		"the address": {"2001:db8::1", 0}, "its network": {"2001:db8::2:3", 0}, "another": {"2001:db8:0:1::1", 1}, "IPv4": {"192.0.2.1", 1},
	} {
		if n := g.hashes(func() { g.try(t, from(t, test.address), "john", "wrong", core.KindInvalidCredentials) }); n != test.hashes {
			t.Errorf("%s: %d hashes, want %d", name, n, test.hashes)
		}
	}
}

func TestLiveTokensAreUnaffectedByLimits(t *testing.T) {
	g := newGuarded(t, few, few)
	session, err := g.Login(from(t, "192.0.2.1"), fixed, "john", "secret")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		g.try(t, from(t, "192.0.2.1"), "john", "wrong", core.KindInvalidCredentials)
	}
	if _, err := g.Authenticate(from(t, "192.0.2.1"), core.Policy{Realm: core.DefaultRealm}, core.Presented(session.Key)); err != nil {
		t.Error(err)
	}
	if err := g.Logout(from(t, "192.0.2.1"), session); err != nil {
		t.Error(err)
	}
}

func TestParallelGuessesComputeNoMoreHashesThanTheLimit(t *testing.T) {
	g := newGuarded(t, core.Limit{Burst: 10, Window: 15 * time.Minute}, many)
	n := g.hashes(func() {
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() { g.try(t, from(t, "192.0.2.1"), "john", "wrong", core.KindInvalidCredentials) })
		}
		all.Wait()
	})
	if n != 10 {
		t.Errorf("%d hashes, want 10", n)
	}
}

func TestAuditRecord(t *testing.T) {
	g := newGuarded(t, many, many)
	ctx := from(t, "192.0.2.1")
	session, err := g.Register(ctx, forever, core.Registration{Username: "ann", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	g.try(t, ctx, "ann", "canary-wrong", core.KindInvalidCredentials)
	g.try(t, ctx, "canary-nobody", "canary-wrong", core.KindInvalidCredentials)
	again, err := g.Login(ctx, reusing, "ann", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Logout(ctx, session); err != nil {
		t.Fatal(err)
	}
	if err := g.LogoutAll(ctx, again); err != nil {
		t.Fatal(err)
	}
	entries, err := g.audit.AuditEntries(t.Context(), core.AuditFilter{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	at, id := g.now, session.User.ID
	first, second := core.TokenID(session.Token.Digest), core.TokenID(again.Token.Digest)
	want := []core.AuditEntry{
		{Action: core.ActionLogoutAll, Outcome: core.OK, UserID: id, Username: "ann", Profile: "reusing", Token: second},
		{Action: core.ActionLogout, Outcome: core.OK, UserID: id, Username: "ann", Profile: "forever", Token: first},
		{Action: core.ActionLogin, Outcome: core.OK, UserID: id, Username: "ann", Profile: "reusing", Token: second},
		{Action: core.ActionLogin, Outcome: "invalid_credentials", UsernamePseudonym: g.Pseudonyms("canary-nobody")[0], Profile: "fixed"},
		{Action: core.ActionLogin, Outcome: "invalid_credentials", UserID: id, Username: "ann", Profile: "fixed"},
		{Action: core.ActionRegister, Outcome: core.OK, UserID: id, Username: "ann", Profile: "forever", Token: first},
	}
	if len(entries) != len(want)+2 { // plus the two users of newGuarded
		t.Fatalf("%d entries: %+v", len(entries), entries)
	}
	for i, e := range want {
		e.ID, e.At, e.Address, e.Request = entries[i].ID, at, "192.0.2.1", "r"
		if entries[i] != e {
			t.Errorf("entry %d: %+v\nwant %+v", i, entries[i], e)
		}
	}
	if e := entries[len(want)]; e.Action != core.ActionCreateUser || e.Actor != core.Operator || e.Username != "mary" || e.UserID == 0 {
		t.Errorf("entry of a command: %+v", e)
	}
}

func TestKeyRing(t *testing.T) {
	key := func(b byte) []byte { return append(make([]byte, sealing.KeySize-1), b) }
	sealer := func(keys ...[]byte) sealing.Sealer {
		s, err := sealing.NewSealer(keys...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	passwords, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	current := sealer(key(1))
	s := core.New(core.Config{
		Backend: core.Backend{Store: sqlitetest.MustOpen(t)}, Hasher: passwords, Sealer: current,
		RefreshKeys: func() (sealing.Sealer, error) { return current, nil },
	})
	session, err := s.Register(t.Context(), reusing, core.Registration{Username: "john", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	login := func() string {
		t.Helper()
		again, err := s.Login(t.Context(), reusing, "john", "secret")
		if err != nil {
			t.Fatal(err)
		}
		return again.Key
	}
	s.SealWith(sealer(key(2), key(1)))
	if login() != session.Key {
		t.Error("an older key does not open")
	}
	s.SealWith(sealer(key(2)))
	current = sealer(key(3), key(2), key(1))
	if login() != session.Key {
		t.Error("a key that came later was not found")
	}
	current = sealer(key(3))
	s.SealWith(current)
	if _, err := s.Login(t.Context(), reusing, "john", "secret"); core.KindOf(err) != core.KindUnavailable {
		t.Errorf("without the key: %v", err)
	}
}

// TestRegistrationLimit checks that registrations from one address are limited, that those
// that make no user do not count, and that operators are not limited.
func TestRegistrationLimit(t *testing.T) {
	g := newGuarded(t, core.DefaultUserLimit(), core.DefaultAddressLimit())
	g.SetLoginLimits(&core.LoginLimits{
		Limiter: g.audit.(core.RateLimiter), PerUser: core.DefaultUserLimit(), PerAddress: core.DefaultAddressLimit(),
		Registrations: core.Limit{Burst: 2, Window: time.Hour},
	})
	p := core.Policy{Issuer: "some-api", Realm: core.DefaultRealm, TokenHex: 40}
	register := func(address, name string) error {
		_, err := g.Register(from(t, address), p, core.Registration{Username: name, Password: "secret"})
		return err
	}
	for range 5 {
		if err := register("192.0.2.1", "john"); core.KindOf(err) != core.KindUsernameTaken {
			t.Fatalf("a name that is taken: %v", err)
		}
	}
	for _, name := range []string{"a", "b"} {
		if err := register("192.0.2.1", name); err != nil {
			t.Fatal(err)
		}
	}
	err := register("192.0.2.1", "c")
	if core.KindOf(err) != core.KindThrottled || core.RetryAfter(err) != 30*time.Minute {
		t.Errorf("one more: %v, retry after %v", err, core.RetryAfter(err))
	}
	if err := register("192.0.2.2", "c"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	if _, err := g.CreateUser(t.Context(), p, core.Registration{Username: "d", Password: "secret"}); err != nil {
		t.Errorf("by an operator: %v", err)
	}
	g.now = g.now.Add(30 * time.Minute)
	if err := register("192.0.2.1", "e"); err != nil {
		t.Errorf("half an hour later: %v", err)
	}
}
