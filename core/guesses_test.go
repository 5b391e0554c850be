package core_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// noticedHasher notes what is asked of a hasher, and may fail or run something after a
// check.
type noticedHasher struct {
	core.Hasher
	dummies   []string // names and passwords
	simulated []string // names and encoded passwords
	admitted  int      // bytes
	checked   func() error
}

func (h *noticedHasher) Acquire(ctx context.Context, bytes int) (admitted context.Context, release func(), err error) {
	h.admitted += bytes
	return h.Hasher.Acquire(ctx, bytes)
}

func (h *noticedHasher) Check(ctx context.Context, username, encoded, plain string) (ok, rehash bool, err error) {
	if ok, rehash, err = h.Hasher.Check(ctx, username, encoded, plain); err == nil && h.checked != nil {
		err = h.checked()
	}
	return ok, rehash, err
}

func (h *noticedHasher) HashDummy(ctx context.Context, username, plain string) error {
	h.dummies = append(h.dummies, username, plain)
	return h.Hasher.HashDummy(ctx, username, plain)
}

func (h *noticedHasher) SimulateLatency(ctx context.Context, username, encoded string, more time.Duration) error {
	h.simulated = append(h.simulated, username, encoded)
	return h.Hasher.SimulateLatency(ctx, username, encoded, more)
}

// newNoticed is an engine where a user john may be guessed at once in an hour.
func newNoticed(t *testing.T) (*core.Service, *noticedHasher, core.Store) {
	t.Helper()
	inner, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	h := &noticedHasher{Hasher: inner}
	store := sqlitetest.MustOpen(t)
	s := core.New(core.Config{Backend: core.Backend{Store: store}, Hasher: h, DatabaseKey: make([]byte, core.DatabaseKeySize)})
	if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "john", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	once := core.Limit{Burst: 1, Window: time.Hour}
	s.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: once, PerAddress: once})
	return s, h, store
}

// told is a policy that says when a login was throttled.
var told = core.Policy{Issuer: "told", Realm: core.DefaultRealm, TokenHex: 40, TellThrottled: true}

// TestThrottledLoginsWait checks that a login beyond the limit waits as long as the hash
// of that very account would take, or as one of a name that nobody has.
func TestThrottledLoginsWait(t *testing.T) {
	s, h, store := newNoticed(t)
	for _, name := range []string{"john", "nobody"} {
		for range 2 {
			_, err := s.Login(t.Context(), fixed, name, "wrong")
			wantKind(t, err, core.KindInvalidCredentials)
		}
	}
	account, err := store.Account(t.Context(), "john")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"john", account.PasswordHash, "nobody", ""}; !slices.Equal(h.simulated, want) {
		t.Errorf("waited for %q, want %q", h.simulated, want)
	}
	_, err = s.Login(t.Context(), told, "john", "secret")
	wantKind(t, err, core.KindThrottled)
	if len(h.simulated) != 4 {
		t.Error("a login that is told so waited too")
	}
}

// TestUnknownNamesAreHashed checks that a login with a name that nobody has costs a hash
// of what was sent.
func TestUnknownNamesAreHashed(t *testing.T) {
	s, h, _ := newNoticed(t)
	for _, name := range []string{"nobody", "not\x00storable"} {
		_, err := s.Login(t.Context(), fixed, name, "a guess")
		wantKind(t, err, core.KindInvalidCredentials)
	}
	if want := []string{"nobody", "a guess", "not\x00storable", "a guess"}; !slices.Equal(h.dummies, want) {
		t.Errorf("hashed %q, want %q", h.dummies, want)
	}
}

// TestGuessOfAClientThatLeaves checks that a wrong guess counts although its client has
// left by the time it is computed.
func TestGuessOfAClientThatLeaves(t *testing.T) {
	s, h, _ := newNoticed(t)
	ctx, leave := context.WithCancel(t.Context())
	h.checked = func() error {
		leave()
		return nil
	}
	_, err := s.Login(ctx, told, "john", "wrong")
	wantKind(t, err, core.KindInvalidCredentials)
	_, err = s.Login(t.Context(), told, "john", "secret")
	wantKind(t, err, core.KindThrottled)
}

// TestFailureOfTheServerIsNoGuess checks that a login which failed because of the server
// does not count.
func TestFailureOfTheServerIsNoGuess(t *testing.T) {
	s, h, _ := newNoticed(t)
	h.checked = func() error { return &core.Error{Kind: core.KindOverloaded} }
	_, err := s.Login(t.Context(), told, "john", "secret")
	wantKind(t, err, core.KindOverloaded)
	h.checked = nil
	if _, err := s.Login(t.Context(), told, "john", "secret"); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// TestThrottledBesideOthers checks that a login whose name has no guesses left does not
// wait for the logins of others from its address: while somebody logs in, it would get no
// answer.
func TestThrottledBesideOthers(t *testing.T) {
	s, h, store := newNoticed(t)
	s.SetLoginLimits(&core.LoginLimits{
		Limiter: store.(core.RateLimiter), PerUser: core.Limit{Burst: 1, Window: time.Hour}, PerAddress: core.Limit{Burst: 100, Window: time.Hour},
	})
	if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "mary", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	ctx := from(t, "192.0.2.1")
	_, err := s.Login(ctx, fixed, "john", "wrong")
	wantKind(t, err, core.KindInvalidCredentials)

	hashing, release, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	h.checked = func() error {
		close(hashing)
		<-release
		return nil
	}
	go func() {
		_, err := s.Login(ctx, fixed, "mary", "secret")
		ended <- err
	}()
	<-hashing
	bounded, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err = s.Login(bounded, fixed, "john", "secret")
	wantKind(t, err, core.KindInvalidCredentials)
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestNamesInTheQueueAreCounted checks that a login is admitted with all that it holds while it
// waits.
func TestNamesInTheQueueAreCounted(t *testing.T) {
	s, h, _ := newNoticed(t)
	h.admitted = 0
	name := strings.Repeat("x", 3000)
	if _, err := s.Login(t.Context(), told, name, "secret"); core.KindOf(err) != core.KindInvalidCredentials {
		t.Fatal(err)
	}
	if want := len(name) + len("secret"); h.admitted != want {
		t.Errorf("admitted with %d bytes, want %d", h.admitted, want)
	}
}

// TestNamesOfNobodyAreNotLookedUp logs in with a name that is too long for anybody's, by which a
// database could be kept busy: the store is not asked, and nothing holds the name. It is guessed
// as seldom as any other.
func TestNamesOfNobodyAreNotLookedUp(t *testing.T) {
	asked := 0
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	h := &noticedHasher{Hasher: hasher}
	store := sqlitetest.MustOpen(t)
	s := core.New(core.Config{
		Backend: core.Backend{Store: countingAccounts{store, &asked}, FoldUsername: func(_ context.Context, name string) (string, error) {
			asked++
			return name, nil
		}},
		Hasher: h, DatabaseKey: make([]byte, core.DatabaseKeySize),
	})
	once := core.Limit{Burst: 1, Window: time.Hour}
	s.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: once})
	name := strings.Repeat("x", 1<<20)
	for _, want := range []core.Kind{core.KindInvalidCredentials, core.KindThrottled} {
		if _, err := s.Login(t.Context(), told, name, "secret"); core.KindOf(err) != want {
			t.Errorf("error %v, want kind %v", err, want)
		}
	}
	if taken, err := s.UsernameTaken(t.Context(), core.Policy{}, name); taken || err != nil {
		t.Errorf("taken %t, %v", taken, err)
	}
	if asked > 0 {
		t.Errorf("the store was asked %d times", asked)
	}
	if h.admitted > 200 || len(h.dummies) != 2 || len(h.dummies[0]) > 100 {
		t.Errorf("%d bytes were admitted, %d texts hashed", h.admitted, len(h.dummies))
	}
}

// countingAccounts counts the accounts that are asked for.
type countingAccounts struct {
	core.Store
	asked *int
}

// Account implements core.Store.
func (c countingAccounts) Account(ctx context.Context, username string) (core.Account, error) {
	*c.asked++
	return c.Store.Account(ctx, username)
}
