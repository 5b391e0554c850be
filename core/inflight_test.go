package core_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
)

// lateLimiter is a RateLimiter whose first answer arrives after others have been refused
// because of what it counted, as over a network.
type lateLimiter struct {
	core.RateLimiter
	later   atomic.Bool   // after the first
	counted chan struct{} // closed when the first login is counted
	arrives chan struct{} // closed when its answer may arrive
}

func (l *lateLimiter) Reserve(ctx context.Context, now time.Time, guesses ...core.LimitKey) (time.Duration, error) {
	wait, err := l.RateLimiter.Reserve(ctx, now, guesses...)
	if l.later.CompareAndSwap(false, true) {
		close(l.counted)
		<-l.arrives
	}
	return wait, err
}

// TestLoginsBeingCounted has logins refused by the store because of one that it has counted,
// but whose answer has not come yet: they wait for that one. If it is right, they succeed; if
// it is wrong, they fail without a hash.
func TestLoginsBeingCounted(t *testing.T) {
	const others = 4
	for name, test := range map[string]struct {
		plain  string
		hashes uint64
	}{"right": {"secret", 1 + others}, "wrong": {"wrong", 1}} {
		t.Run(name, func(t *testing.T) {
			once := core.Limit{Burst: 1, Window: time.Hour}
			g := newGuarded(t, once, many)
			l := &lateLimiter{RateLimiter: g.audit.(core.RateLimiter), counted: make(chan struct{}), arrives: make(chan struct{})}
			g.SetLoginLimits(&core.LoginLimits{Limiter: l, PerUser: once, PerAddress: many})
			ctx := from(t, "192.0.2.1")
			outcomes := make(chan error, 1+others)
			login := func() {
				_, err := g.Login(ctx, fixed, "john", test.plain)
				outcomes <- err
			}
			hashes := g.hashes(func() {
				go login()
				<-l.counted
				for range others {
					go login()
				}
				select {
				case err := <-outcomes:
					t.Errorf("a login did not wait: %v", err)
					outcomes <- err
				case <-time.After(200 * time.Millisecond): // as long as it takes to be refused
				}
				close(l.arrives)
				for range 1 + others {
					err := <-outcomes
					if name == "wrong" {
						wantKind(t, err, core.KindInvalidCredentials)
					} else if err != nil {
						t.Error(err)
					}
				}
			})
			if hashes != test.hashes {
				t.Errorf("%d hashes, want %d", hashes, test.hashes)
			}
		})
	}
}
