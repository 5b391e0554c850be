package core_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// The times of a slow disk: to count a guess, to find that there are too many, and to
// record a failure.
const (
	countTime  = 40 * time.Millisecond
	refuseTime = 3 * time.Millisecond
	recordTime = 60 * time.Millisecond
)

// slowLimiter is a RateLimiter on a slow disk.
type slowLimiter struct{ core.RateLimiter }

func (s slowLimiter) Reserve(ctx context.Context, now time.Time, keys ...core.LimitKey) (time.Duration, error) {
	wait, err := s.RateLimiter.Reserve(ctx, now, keys...)
	if wait == 0 {
		time.Sleep(countTime)
	} else {
		time.Sleep(refuseTime)
	}
	return wait, err
}

// slowAuditor is an Auditor on a slow disk.
type slowAuditor struct{ core.Auditor }

func (s slowAuditor) Record(ctx context.Context, e core.AuditEntry) error {
	time.Sleep(recordTime)
	return s.Auditor.Record(ctx, e)
}

// TestThrottledLoginOnASlowDisk checks that a login that exceeds a limit, and writes
// nothing, takes as long as one with a wrong password, which writes twice. In the bubble, what
// is computed takes no time.
func TestThrottledLoginOnASlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passwords, err := hashing.NewDjangoHasher(1)
		if err != nil {
			t.Fatal(err)
		}
		store := sqlitetest.MustOpen(t)
		s := core.New(core.Config{
			Backend: core.Backend{Store: store, Auditor: slowAuditor{store}},
			Hasher:  hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10}), DatabaseKey: make([]byte, core.DatabaseKeySize),
		})
		s.SetLoginLimits(&core.LoginLimits{Limiter: slowLimiter{store}, PerUser: few, PerAddress: many})
		if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "john", Password: "secret"}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"john", "nobody"} {
			for i := range few.Burst + 3 {
				began := time.Now()
				_, err := s.Login(t.Context(), fixed, name, "wrong")
				if took := time.Since(began).Truncate(core.MaxBlur); core.KindOf(err) != core.KindInvalidCredentials || took != countTime+recordTime {
					t.Errorf("%s, login %d of %d that are counted: %v after %v, want %v", name, i+1, few.Burst, err, took, countTime+recordTime)
				}
			}
		}
	})
}

// TestWrongGuessesAreBlurred has wrong passwords, counted ones and throttled ones, at a login, in HTTP Basic and as a
// confirmation, wait for times that differ, and right ones for none. In the bubble, what is computed takes no time.
func TestWrongGuessesAreBlurred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passwords, err := hashing.NewDjangoHasher(1)
		if err != nil {
			t.Fatal(err)
		}
		store := sqlitetest.MustOpen(t)
		s := core.New(core.Config{
			Backend: core.Backend{Store: store, Auditor: store, Accounts: store},
			Hasher:  hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10}), DatabaseKey: make([]byte, core.DatabaseKeySize),
		})
		s.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: few, PerAddress: many})
		users := map[string]core.User{}
		for _, name := range []string{"john", "jane", "jack"} {
			if users[name], err = s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret"}); err != nil {
				t.Fatal(err)
			}
		}
		login := func(name, plain string) error {
			_, err := s.Login(t.Context(), fixed, name, plain)
			return err
		}
		basic := func(name, plain string) error {
			_, err := s.AuthenticatePassword(t.Context(), fixed, name, plain)
			return err
		}
		confirm := func(name, plain string) error {
			_, err := s.ConfirmPassword(t.Context(), fixed, users[name], plain)
			return err
		}
		for _, guesses := range []struct {
			at    string
			guess func(name, plain string) error
			names []string // no two share a limit
		}{
			{"login", login, []string{"john", "nobody"}},
			{"basic", basic, []string{"jane", "nobody-2"}},
			{"confirm", confirm, []string{"jack"}},
		} {
			took := func(name, plain string) time.Duration {
				began := time.Now()
				if err := guesses.guess(name, plain); (err == nil) != (plain == "secret") {
					t.Errorf("%s: %s with %s: %v", guesses.at, name, plain, err)
				}
				return time.Since(began)
			}
			if d := took(guesses.names[0], "secret"); d != 0 {
				t.Errorf("%s: a right password took %v", guesses.at, d)
			}
			for _, name := range guesses.names {
				counted, throttled := map[time.Duration]bool{}, map[time.Duration]bool{}
				for i := range few.Burst + 3 {
					d := took(name, "wrong")
					if d >= core.MaxBlur {
						t.Errorf("%s: %s: %v", guesses.at, name, d)
					}
					if i < few.Burst {
						counted[d] = true
					} else {
						throttled[d] = true
					}
				}
				if len(counted) < 2 || len(throttled) < 2 {
					t.Errorf("%s: %s: %v and %v", guesses.at, name, counted, throttled)
				}
			}
		}
	})
}
