package core_test

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// caseBlindStore finds the account "john" by any spelling, as a case-blind column does. It
// counts the look-ups.
type caseBlindStore struct {
	core.Store
	lookUps, folds atomic.Int64
	failure        error // of fold
}

func (s *caseBlindStore) Account(ctx context.Context, username string) (core.Account, error) {
	s.lookUps.Add(1)
	if strings.EqualFold(username, "john") {
		username = "john"
	}
	return s.Store.Account(ctx, username)
}

// fold is core.Backend.FoldUsername. Like a database, it knows no text that is none.
func (s *caseBlindStore) fold(_ context.Context, username string) (string, error) {
	if !core.Storable(username) {
		return "", errors.New("no text")
	}
	s.folds.Add(1)
	return strings.ToLower(username), s.failure
}

// caseBlindWorld is an engine on a caseBlindStore, which has one account.
type caseBlindWorld struct {
	*core.Service
	store   *caseBlindStore
	limiter core.RateLimiter
	hasher  *namesHashed
}

func newCaseBlind(t *testing.T) caseBlindWorld {
	t.Helper()
	passwords, err := hashing.NewDjangoHasher(1000)
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	w := caseBlindWorld{
		store: &caseBlindStore{Store: store}, limiter: store,
		hasher: &namesHashed{Pool: hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 100}), names: map[string]bool{}},
	}
	w.Service = core.New(core.Config{
		Backend: core.Backend{Store: w.store, Auditor: store, FoldUsername: w.store.fold}, Hasher: w.hasher, DatabaseKey: make([]byte, core.DatabaseKeySize),
		Clock: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	})
	w.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: few, PerAddress: many})
	if _, err := w.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "john", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// namesHashed is a hasher that keeps the names which may decide what a login costs.
type namesHashed struct {
	*hashing.Pool
	names map[string]bool
}

func (h *namesHashed) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	h.names[username] = true
	return h.Pool.Check(ctx, username, encoded, plain)
}

func (h *namesHashed) HashDummy(ctx context.Context, username, plain string) error {
	h.names[username] = true
	return h.Pool.HashDummy(ctx, username, plain)
}

func (h *namesHashed) SimulateLatency(ctx context.Context, username, encoded string, more time.Duration) error {
	h.names[username] = true
	return h.Pool.SimulateLatency(ctx, username, encoded, more)
}

// TestSpellingsShareALimit guesses at one account by several spellings, and at a name that
// nobody has: the two can't be told apart by the guesses that are left, or by what they cost.
func TestSpellingsShareALimit(t *testing.T) {
	s := newCaseBlind(t)
	guess := func(names ...string) uint64 {
		t.Helper()
		before := s.hasher.Counts().Done
		for _, name := range names {
			if _, err := s.Login(t.Context(), fixed, name, "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
				t.Fatal(err)
			}
		}
		return s.hasher.Counts().Done - before
	}
	if n := guess("john", "John", "JOHN", "jOhn", "johN", "JOhn", "JoHn", "joHN", "JOHn"); n != uint64(few.Burst) {
		t.Errorf("%d guesses by spellings were hashed, want %d", n, few.Burst)
	}
	if n := guess("nobody", "Nobody", "NOBODY", "noBody"); n != uint64(few.Burst) {
		t.Errorf("%d guesses at an unknown name were hashed, want %d", n, few.Burst)
	}
	if got := slices.Sorted(maps.Keys(s.hasher.names)); !slices.Equal(got, []string{"john", "nobody"}) {
		t.Errorf("what a login costs depends on the names %q", got)
	}
	if _, err := s.Login(t.Context(), fixed, "JOHN", "secret"); core.KindOf(err) != core.KindInvalidCredentials {
		t.Errorf("the right password: %v", err)
	}
	if n, err := s.ClearLimits(t.Context(), s.limiter, "jOHN", netip.Addr{}); n != 1 || err != nil {
		t.Errorf("cleared %d, error %v", n, err)
	}
	if _, err := s.Login(t.Context(), fixed, "JOHN", "secret"); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestUsernameCannotBeFolded has a store that fails, and a username that is no text, which
// no store has: it is not asked about that.
func TestUsernameCannotBeFolded(t *testing.T) {
	s := newCaseBlind(t)
	for _, name := range []string{"jo\x00hn", "jo\xffhn"} {
		if _, err := s.Login(t.Context(), fixed, name, "wrong"); core.KindOf(err) != core.KindInvalidCredentials {
			t.Errorf("%q: %v", name, err)
		}
	}
	s.store.failure = core.ErrUnavailable
	for _, name := range []string{"john", "nobody"} {
		if _, err := s.Login(t.Context(), fixed, name, "secret"); core.KindOf(err) != core.KindUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLookUpsOfALogin checks that a login asks the store once how the name is folded, and
// looks the account up once, whether there is one, whether the password is right, and
// whether it is throttled.
func TestLookUpsOfALogin(t *testing.T) {
	s := newCaseBlind(t)
	for _, test := range []struct{ what, name, password string }{
		{"right", "john", "secret"}, {"wrong", "john", "wrong"}, {"unknown", "nobody", "wrong"},
		{"wrong again", "john", "wrong"}, {"wrong once more", "john", "wrong"}, {"throttled", "john", "wrong"},
		{"unknown again", "nobody", "wrong"}, {"unknown once more", "nobody", "wrong"}, {"unknown and throttled", "nobody", "wrong"},
	} {
		before, folds := s.store.lookUps.Load(), s.store.folds.Load()
		_, err := s.Login(t.Context(), fixed, test.name, test.password)
		if (err == nil) != (test.what == "right") {
			t.Errorf("%s: %v", test.what, err)
		}
		if n := s.store.lookUps.Load() - before; n != 1 {
			t.Errorf("%s: %d look-ups, want 1", test.what, n)
		}
		if n := s.store.folds.Load() - folds; n != 1 {
			t.Errorf("%s: folded %d times, want 1", test.what, n)
		}
	}
}

// refusals is a limiter that says when it has refused.
type refusals struct {
	core.RateLimiter
	refused chan struct{}
}

func (r refusals) Reserve(ctx context.Context, now time.Time, guesses ...core.LimitKey) (time.Duration, error) {
	wait, err := r.RateLimiter.Reserve(ctx, now, guesses...)
	if wait > 0 {
		r.refused <- struct{}{}
	}
	return wait, err
}

// TestLookUpAfterWaiting has a login wait for another one of the same account, which
// exhausts the limit: it looks the account up again, and so knows the hash that the other
// one has made.
func TestLookUpAfterWaiting(t *testing.T) {
	w, h := newInterruptedWorld(t, 2) // more than the stored hash has
	limiter := refusals{w.store.(core.RateLimiter), make(chan struct{}, 1)}
	w.SetLoginLimits(&core.LoginLimits{Limiter: limiter, PerUser: core.Limit{Burst: 1, Window: time.Hour}, PerAddress: many})
	second := make(chan error, 1)
	checks := 0
	h.checked = func() {
		checks++
		if checks > 1 {
			return
		}
		go func() {
			_, err := w.Login(t.Context(), fixed, "john", "secret")
			second <- err
		}()
		<-limiter.refused
	}
	if _, err := w.Login(t.Context(), fixed, "john", "secret"); err != nil {
		t.Error(err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
	if checks != 2 {
		t.Errorf("%d checks for two logins: the second one checked the hash of before", checks)
	}
}

// TestSpelling gives one text for all spellings of a name, for one that an account has as for
// one that nobody has.
func TestSpelling(t *testing.T) {
	w := newCaseBlind(t)
	for name, want := range map[string]string{
		"john": "john", "JOHN": "john", "Nobody": "nobody", "nobody": "nobody", "": "", "a\x00": "", "\xff": "", strings.Repeat("x", 1<<20): "",
	} {
		lookUps, folds := w.store.lookUps.Load(), w.store.folds.Load()
		got, known, err := w.Spelling(t.Context(), core.Policy{}, name)
		if got != want || known != (want == "john") || err != nil {
			t.Errorf("%.20q: %q, %t, %v", name, got, known, err)
		}
		if n, m := w.store.lookUps.Load()-lookUps, w.store.folds.Load()-folds; want != "" && (n != 1 || m != 1) {
			t.Errorf("%q takes %d look-ups and %d folds", name, n, m)
		}
	}
	w.store.failure = core.ErrUnavailable
	for _, name := range []string{"john", "nobody"} {
		if got, _, err := w.Spelling(t.Context(), core.Policy{}, name); got != "" || core.KindOf(err) != core.KindUnavailable {
			t.Errorf("%s, while the store is away: %q, %v", name, got, err)
		}
	}
}
