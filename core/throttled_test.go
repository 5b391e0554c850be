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

// TestFailedLoginsAreBlurred has failed logins, counted ones and throttled ones, wait for times that differ, and right ones for
// none. In the bubble, what is computed takes no time.
func TestFailedLoginsAreBlurred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passwords, err := hashing.NewDjangoHasher(1)
		if err != nil {
			t.Fatal(err)
		}
		store := sqlitetest.MustOpen(t)
		s := core.New(core.Config{
			Backend: core.Backend{Store: store, Auditor: store},
			Hasher:  hashing.NewPool(passwords, hashing.PoolOptions{Threads: 1, Queue: 10}), DatabaseKey: make([]byte, core.DatabaseKeySize),
		})
		s.SetLoginLimits(&core.LoginLimits{Limiter: store, PerUser: few, PerAddress: many})
		for _, name := range []string{"john", "jane"} {
			if _, err := s.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret"}); err != nil {
				t.Fatal(err)
			}
		}
		took := func(name, plain string) time.Duration {
			began := time.Now()
			_, _ = s.Login(t.Context(), fixed, name, plain)
			return time.Since(began)
		}
		if d := took("jane", "secret"); d != 0 {
			t.Errorf("a right login took %v", d)
		}
		for _, name := range []string{"john", "nobody"} {
			counted, throttled := map[time.Duration]bool{}, map[time.Duration]bool{}
			for i := range few.Burst + 3 {
				d := took(name, "wrong")
				if d >= core.MaxBlur {
					t.Errorf("%s: %v", name, d)
				}
				if i < few.Burst {
					counted[d] = true
				} else {
					throttled[d] = true
				}
			}
			if len(counted) < 2 || len(throttled) < 2 {
				t.Errorf("%s: %v and %v", name, counted, throttled)
			}
		}
	})
}
