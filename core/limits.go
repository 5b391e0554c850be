package core

import (
	"context"
	"errors"
	"time"
)

// Limits counts guesses at passwords. A count is shared by all who work on the
// database, and fades: a key with a [Limit] has room for Most guesses at once,
// and gains room for one more each Window/Most. Errors are those of [Store];
// stores never read a clock.
type RateLimiter interface {
	// Reserve counts a guess for each of the keys, in one atomic step, if all of
	// them have room; else for none, and wait is how long until they have. Of any
	// number of calls at once, no more succeed than there is room for.
	Reserve(ctx context.Context, now time.Time, guesses ...LimitKey) (wait time.Duration, err error)

	// Refund takes back what Reserve counted.
	Refund(ctx context.Context, guesses ...LimitKey) error

	// PruneLimits removes at most limit keys that have all their room at now,
	// and gives their number.
	PruneLimits(ctx context.Context, now time.Time, limit int) (int, error)
}

// Guess is a key whose guesses are counted, with its limit.
type LimitKey struct {
	Key   []byte // a digest: no name or address is kept
	Limit Limit
}

// Limit is how many guesses a key has room for.
type Limit struct {
	Burst  int           // at once, at least 1
	Window time.Duration // after which as many are free again
}

// Each is how long one guess takes room.
func (l Limit) Interval() time.Duration { return l.Window / time.Duration(l.Burst) }

// Next is the rule of [Limits]: a key is kept as the moment when it has all its
// room again, in the past or never set where it has. Next gives that moment after one more
// guess at now, or how long to wait.
func (l Limit) Allow(full, now time.Time) (next time.Time, wait time.Duration) {
	if full.Before(now) {
		full = now
	}
	next = full.Add(l.Interval())
	if over := next.Sub(now) - l.Interval()*time.Duration(l.Burst); over > 0 {
		return full, over
	}
	return next, 0
}

// LoginLimits says how guesses at passwords are limited.
type LoginLimits struct {
	Limiter RateLimiter
	// Account limits guesses at one name, whether it exists or not; Address those
	// of one client's address (of one /64 in IPv6), whatever the names.
	PerUser, PerAddress Limit
}

// DefaultUserLimit and DefaultAddressLimit are for servers where many clients
// may share an address.
func DefaultUserLimit() Limit { return Limit{Burst: 10, Window: 15 * time.Minute} }

// DefaultAddressLimit is the limit of an address.
func DefaultAddressLimit() Limit { return Limit{Burst: 100, Window: 15 * time.Minute} }

// SetLoginLimits sets the limits from now on; nil is none.
func (s *Service) SetLoginLimits(g *LoginLimits) { s.loginLimits.Store(g) }

// reserve counts a login as a guess before its password is looked at. The guesses
// are to be given to settled, and to refund before that if it was none. Where the
// limit is full of logins that are under way here, it waits for what comes of
// them; of those at other nodes it knows nothing.
func (s *Service) reserve(ctx context.Context, username string) (reserved []LimitKey, wait time.Duration, err error) {
	g := s.loginLimits.Load()
	if g == nil {
		return nil, 0, nil
	}
	guesses := []LimitKey{{Key: s.limitKey("account", username), Limit: g.PerUser}}
	if a := ClientOf(ctx).Address; a.IsValid() {
		guesses = append(guesses, LimitKey{Key: s.limitKey("address", limitPrefix(a)), Limit: g.PerAddress})
	}
	for {
		ended := s.inflight.next(guesses)
		wait, err = g.Limiter.Reserve(ctx, s.now(), guesses...)
		if err == nil && wait == 0 {
			s.inflight.begin(guesses)
			return guesses, 0, nil
		}
		if ended == nil {
			ended = s.inflight.next(guesses) // it may have come first
		}
		if err != nil || ended == nil {
			return nil, wait, err
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// settled notes that what came of a login is counted.
func (s *Service) release(reserved []LimitKey) { s.inflight.end(reserved) }

// limitKeySize is the length of a key that guesses are counted for, in bytes.
const limitKeySize = 16

func (s *Service) limitKey(label, text string) []byte {
	return KeyedDigest(s.pseudonymKey, label, text)[:limitKeySize]
}

// refund takes a login back that was no wrong guess. It is not the client's to
// stop that by leaving.
func (s *Service) refund(ctx context.Context, reserved []LimitKey) {
	g := s.loginLimits.Load()
	if g == nil || len(reserved) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), followUpTimeout)
	defer cancel()
	if err := g.Limiter.Refund(ctx, reserved...); err != nil && !errors.Is(err, ErrUnavailable) {
		s.log.Warn("a login stays counted as a guess", "error", err)
	}
}

// afterwards bounds what is done for a request after its outcome is known.
const followUpTimeout = 5 * time.Second
