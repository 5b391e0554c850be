package live_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/django/djangotest"
	"github.com/authcompat/authcompat/store/django/live"
	"github.com/authcompat/authcompat/store/storetest"
)

// TestAuxTables covers what is kept in the auxiliary tables.
func TestAuxTables(t *testing.T) {
	for name, open := range map[string]storetest.Opener{
		"sqlite": onSQLite(djangotest.UsersDDL, djangotest.AuthtokenDDL), "postgres": onPostgres(djangotest.UsersDDL, djangotest.AuthtokenDDL),
	} {
		t.Run(name, func(t *testing.T) {
			one, two := open(t)
			a, b := one.(*live.Store), two.(*live.Store)
			t.Run("rate limits", func(t *testing.T) { checkLimits(t, a, b) })
			t.Run("audit", func(t *testing.T) { checkAudit(t, a, b) })
			t.Run("privacy", func(t *testing.T) { checkPrivacy(t, a, b) })
		})
	}
}

func checkLimits(t *testing.T, a, b core.RateLimiter) {
	now := time.Date(2001, 6, 16, 12, 0, 0, 0, time.UTC)
	limit := core.Limit{Burst: 5, Window: 5 * time.Minute}
	guesses := []core.LimitKey{{Key: []byte("name"), Limit: limit}, {Key: []byte("address"), Limit: core.Limit{Burst: 6, Window: time.Hour}}}
	var through atomic.Int32
	var done sync.WaitGroup
	for i := range 16 {
		done.Go(func() {
			wait, err := []core.RateLimiter{a, b}[i%2].Reserve(t.Context(), now, guesses...)
			if err != nil {
				t.Error(err)
			}
			if wait == 0 {
				through.Add(1)
			}
		})
	}
	done.Wait()
	if through.Load() != 5 {
		t.Errorf("%d attempts were allowed, want 5", through.Load())
	}
	if err := b.Refund(t.Context(), now, guesses...); err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Duration{0, time.Minute} {
		if wait, err := a.Reserve(t.Context(), now, guesses...); wait != want || err != nil {
			t.Errorf("attempt %d: wait %v, %v", i, wait, err)
		}
	}
	// Of those that were refused for the name, the address has none counted.
	for i, want := range []time.Duration{0, 10 * time.Minute} {
		if wait, err := b.Reserve(t.Context(), now, guesses[1]); wait != want || err != nil {
			t.Errorf("attempt %d at another name: wait %v, %v", i, wait, err)
		}
	}
	if n, err := a.PruneLimits(t.Context(), now.Add(2*time.Hour), 10); n != 2 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
}

func checkAudit(t *testing.T, a, b *live.Store) {
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	engine := core.New(core.Config{Backend: a.Backend(), Hasher: hasher, DatabaseKey: make([]byte, core.DatabaseKeySize)})
	policy := core.Policy{Issuer: "api", Realm: core.DefaultRealm, TokenHex: 40, Reuse: true}
	session, err := engine.Register(t.Context(), policy, core.Registration{Username: "ann", Password: "a password"})
	if err == nil {
		_, err = engine.Login(t.Context(), policy, "ann", "a password")
	}
	if err == nil {
		err = engine.Logout(t.Context(), session)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Login(t.Context(), policy, "ann", "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
		t.Fatal(err)
	}
	entries, err := b.AuditEntries(t.Context(), core.AuditFilter{Username: "ann"}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprint(e.Action, " ", e.Outcome, " ", e.UserID == session.User.ID))
	}
	want := "[login invalid_credentials true logout ok true login ok true register ok true]"
	if fmt.Sprint(got) != want {
		t.Errorf("audit: %v, want %s", got, want)
	}
	if failed, err := b.AuditEntries(t.Context(), core.AuditFilter{Failed: true}, 10); len(failed) != 1 || err != nil {
		t.Errorf("failed: %+v, %v", failed, err)
	}
}

func checkPrivacy(t *testing.T, a, b core.PrivacyStore) {
	fresh := func() ([]byte, error) { return []byte("drawn"), nil }
	first, err := a.DatabaseKey(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.DatabaseKey(t.Context(), func() ([]byte, error) { return []byte("another"), nil })
	if err != nil || string(first) != string(second) {
		t.Errorf("keys %x and %x, %v", first, second, err)
	}
	if _, err := a.PasswordFormatCounts(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNoTableOfCallers has a table of callers in Django's database only once one is to be kept.
func TestNoTableOfCallers(t *testing.T) {
	for name, make := range databases(djangotest.UsersDDL, djangotest.AuthtokenDDL) {
		t.Run(name, func(t *testing.T) {
			d := make(t)
			s := mustOpen(t, d.source).(*live.Store).Backend().Callers
			for range 2 {
				if all, err := s.SumCalls(t.Context(), callers.Filter{}, callers.ByAll); len(all) > 0 || err != nil {
					t.Errorf("%v, %v", all, err)
				}
				if n, err := s.PurgeCalls(t.Context(), 10, 10); n != 0 || err != nil {
					t.Errorf("purged %d, %v", n, err)
				}
				if err := d.exec(t, `SELECT 1 FROM authcompat_callers`); err == nil {
					t.Error("there is a table")
				}
			}
			if err := s.AddCalls(t.Context(), "1", []callers.Calls{{Caller: callers.Caller{Profile: "p", Endpoint: "login"}, Requests: 1}}); err != nil {
				t.Fatal(err)
			}
			if all, err := s.SumCalls(t.Context(), callers.Filter{}, callers.ByAll); len(all) != 1 || err != nil {
				t.Errorf("%v, %v", all, err)
			}
			if n := d.count(t, `SELECT count(*) FROM authcompat_callers WHERE requests = 1`); n != 1 {
				t.Errorf("%d rows", n)
			}
		})
	}
}
