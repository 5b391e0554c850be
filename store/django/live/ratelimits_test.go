package live_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
)

// TestRefusedGuessLeavesNoRow refuses guesses at many names from one address: Django's
// database does not grow.
func TestRefusedGuessLeavesNoRow(t *testing.T) {
	for name, create := range databases(djangotest.UsersDDL, djangotest.KnoxDDL) {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			s := mustOpen(t, d.source).(*live.Store)
			now := time.Date(2001, 6, 16, 12, 0, 0, 0, time.UTC)
			address := core.LimitKey{Key: []byte("address"), Limit: core.Limit{Burst: 1, Window: time.Hour}}
			for i := range 20 {
				guess := core.LimitKey{Key: fmt.Append(nil, "name ", i), Limit: core.Limit{Burst: 10, Window: time.Hour}}
				if wait, err := s.Reserve(t.Context(), now, guess, address); err != nil || wait > 0 != (i > 0) {
					t.Errorf("guess %d: wait %v, error %v", i, wait, err)
				}
			}
			if n := d.count(t, `SELECT count(*) FROM authcompat_guesses`); n != 2 {
				t.Errorf("%d rows, want those of the address and of the first name", n)
			}
		})
	}
}

// caseBlind makes the column of usernames compare without case, or skips the test if the
// server can't.
func caseBlind(t *testing.T, name string) (ddl []string) {
	t.Helper()
	column, blind := "username varchar(150) NOT NULL UNIQUE", "username varchar(150) COLLATE NOCASE NOT NULL UNIQUE"
	if name == "postgres" {
		ddl = append(ddl, `CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
		blind = "username varchar(150) COLLATE blind NOT NULL UNIQUE"
	}
	return append(ddl, strings.Replace(djangotest.UsersDDL, column, blind, 1), djangotest.KnoxDDL)
}

// TestSpellingsShareALimit guesses at one account by the spellings that a case-blind
// column finds it by.
func TestSpellingsShareALimit(t *testing.T) {
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			d := databases(caseBlind(t, name)...)[name](t)
			s := mustOpen(t, d.source).(*live.Store)
			hasher, err := hashing.NewDjangoHasher(1)
			if err != nil {
				t.Fatal(err)
			}
			pool := hashing.NewPool(hasher, hashing.PoolOptions{Threads: 1, Queue: 10})
			engine := core.New(core.Config{Backend: s.Backend(), Hasher: pool, DatabaseKey: make([]byte, core.DatabaseKeySize)})
			const limit = 3
			engine.SetLoginLimits(&core.LoginLimits{
				Limiter: s, PerUser: core.Limit{Burst: limit, Window: time.Hour}, PerAddress: core.Limit{Burst: 1000, Window: time.Hour},
			})
			policy := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 64}
			if _, err := engine.Register(t.Context(), policy, core.Registration{Username: "Ann", Password: "secret"}); err != nil {
				t.Fatal(err)
			}
			ctx := clients.With(t.Context(), func() clients.Client { return clients.Client{Address: netip.MustParseAddr("192.0.2.1")} })
			login := func(name, password string) (hashes uint64, err error) {
				before := pool.Counts().Done
				_, err = engine.Login(ctx, policy, name, password)
				return pool.Counts().Done - before, err
			}
			var hashed uint64
			for _, spelling := range []string{"Ann", "ann", "ANN", "aNn", "anN", "ANn", "AnN", "aNN"} {
				n, err := login(spelling, "wrong")
				if core.KindOf(err) != core.KindInvalidCredentials {
					t.Fatalf("%s: %v", spelling, err)
				}
				hashed += n
			}
			if hashed != limit {
				t.Errorf("%d guesses were hashed, want %d", hashed, limit)
			}
			if _, err := login("ann", "secret"); core.KindOf(err) != core.KindInvalidCredentials {
				t.Errorf("the right password: %v", err)
			}
			if n, err := engine.ClearLimits(t.Context(), s, "ANN", netip.Addr{}); n != 1 || err != nil {
				t.Errorf("cleared %d, %v", n, err)
			}
			if _, err := login("aNN", "secret"); err != nil {
				t.Errorf("after that: %v", err)
			}
			hashed = 0
			for _, spelling := range []string{"Nobody", "nobody", "NOBODY", "nObody", "noBody", "nobOdy"} {
				n, _ := login(spelling, "wrong")
				hashed += n
			}
			if hashed != limit {
				t.Errorf("%d guesses at a name that nobody has were hashed, want %d", hashed, limit)
			}
		})
	}
}
