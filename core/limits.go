package core

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/internal/inflight"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/core/spelling"
)

// RateLimiter limits how often something may happen for a key, with the generic cell rate
// algorithm (GCRA): see [Limit]. The state is shared by all nodes on a database. Errors
// are those of [Store]; stores never read a clock.
type RateLimiter interface {
	// Reserve counts one event for each of the keys, in one atomic step, if all of them
	// have capacity; otherwise it counts none, and wait is how long until they have. Of
	// any number of concurrent calls, no more succeed than there is capacity for.
	Reserve(ctx context.Context, now time.Time, guesses ...LimitKey) (wait time.Duration, err error)

	// WaitTimes returns for each of the keys how long it is until it has capacity for one more
	// event; 0: it has. It counts nothing.
	WaitTimes(ctx context.Context, now time.Time, keys ...LimitKey) ([]time.Duration, error)

	// Refund takes back what Reserve counted at a time. A key that has its full capacity for
	// that time again is forgotten: its state would be in the future of a clock that was
	// ahead.
	Refund(ctx context.Context, at time.Time, guesses ...LimitKey) error

	// ClearLimits gives keys their full capacity, in one atomic step, and returns how many of
	// them did not have it. It appends the audit entry unless that is nil.
	ClearLimits(ctx context.Context, audit *AuditEntry, keys ...[]byte) (int, error)

	// PruneLimits removes at most limit keys that have their full capacity at now, and
	// returns their number.
	PruneLimits(ctx context.Context, now time.Time, limit int) (int, error)
}

// LimitKey is a key whose events are counted, and its limit.
type LimitKey struct {
	Key   []byte // a digest: no name or address is kept
	Limit Limit
}

// Limit allows Burst events at once, and Burst events in each Window in the long run.
type Limit struct {
	Burst  int           // at once, at least 1
	Window time.Duration // after which as many are free again
}

// Interval is the emission interval of GCRA: the time in which capacity for one more event
// comes back.
func (l Limit) Interval() time.Duration { return l.Window / time.Duration(l.Burst) }

// ClockLeap is how far a key's state may exceed what its limit allows. Beyond that, it was
// written while the clock was ahead.
const ClockLeap = time.Minute

// Allow is GCRA's decision for one more event at now. full is the key's state: the
// theoretical arrival time, at which it has its full capacity; in the past or zero if it
// has it already. Allow returns the state after the event, or how long to wait for it.
//
// If the clock was ahead when the state was written, nobody is locked out until it comes
// round again: such a key has capacity for one event.
func (l Limit) Allow(full, now time.Time) (next time.Time, wait time.Duration) {
	all := l.Interval() * time.Duration(l.Burst)
	switch {
	case full.Before(now):
		full = now
	case full.Sub(now) > all+ClockLeap:
		full = now.Add(all - l.Interval())
	}
	next = full.Add(l.Interval())
	if over := next.Sub(now) - all; over > 0 {
		return full, over
	}
	return next, 0
}

// LoginLimits are the rate limits of logins, and of registrations, which hash a password
// too.
type LoginLimits struct {
	Limiter RateLimiter
	// PerUser limits logins with one username, whether it exists or not; PerAddress those
	// from one client address (one /64 in IPv6), whatever the username.
	PerUser, PerAddress Limit
	// Registrations limits the users who register from one client address; without a Burst,
	// any number may.
	Registrations Limit
	// MailsPerUser limits the mails of each kind with a link to one user, those without one, and those that are asked
	// for with one name which nobody has; MailsPerRecipient those with a new password, and all others, to one mailbox, whoever
	// has it, but for the account that had it first, and those to accounts that came to it later to a part of it, the
	// smaller the later;
	// MailsPerAddress those that are asked for from one client address. Without a Burst, there are any
	// number.
	MailsPerUser, MailsPerRecipient, MailsPerAddress Limit
}

// DefaultUserLimit is the default of PerUser.
func DefaultUserLimit() Limit { return Limit{Burst: 10, Window: 15 * time.Minute} }

// DefaultAddressLimit is the default of PerAddress: many clients may share an address.
func DefaultAddressLimit() Limit { return Limit{Burst: 100, Window: 15 * time.Minute} }

// DefaultRegistrationLimit is the default of Registrations. It is for machines: it leaves
// most of a processor to logins, and a school may register at once.
func DefaultRegistrationLimit() Limit { return Limit{Burst: 1000, Window: 15 * time.Minute} }

// SetLoginLimits sets the rate limits; nil removes them.
func (s *Service) SetLoginLimits(g *LoginLimits) {
	if g != nil && s.turns != nil {
		inTurns := *g
		inTurns.Limiter = turnLimiter{g.Limiter, s.turns}
		g = &inTurns
	}
	s.loginLimits.Store(g)
}

// reservation is a login or a registration that was counted against its limits.
type reservation struct {
	keys   []LimitKey    // none: nothing was counted
	at     time.Time     // when, by the clock that all nodes share
	waited bool          // for logins in flight
	took   time.Duration // that the store needed to decide
}

// reserve counts a login at an account, of which it gets the keys, before its password is
// checked. The caller passes the reservation to release in the end and, if the login was no
// wrong guess, to refund before. If the limit is exhausted by logins that are still in
// flight in this process, reserve waits for their outcome. The reservation says what that
// took also if nothing was counted.
func (s *Service) reserve(ctx context.Context, account ...[]byte) (r reservation, wait time.Duration, err error) {
	g := s.loginLimits.Load()
	if g == nil {
		return r, 0, nil
	}
	var guesses []LimitKey
	for _, key := range account {
		guesses = append(guesses, LimitKey{Key: key, Limit: g.PerUser})
	}
	if network := clients.Of(ctx).Network(); network != "" {
		guesses = append(guesses, LimitKey{Key: s.networkLimitKey("address", network), Limit: g.PerAddress})
	}
	for {
		began := time.Now()
		counting := s.inflight.Begin(inflightKeys(guesses))
		r.at, wait, err = s.reserveNow(ctx, g, guesses...)
		s.inflight.Settle(counting, err == nil && wait == 0)
		var next <-chan struct{}
		if err == nil && wait > 0 {
			next, err = s.awaited(ctx, g, r.at, guesses, counting)
		}
		s.inflight.Leave(counting)
		r.took = time.Since(began)
		switch {
		case err != nil:
			return r, 0, err
		case wait == 0:
			r.keys = guesses
			return r, 0, nil
		case next == nil:
			return r, wait, nil
		}
		r.waited = true
		select {
		case <-next:
		case <-ctx.Done():
			return r, 0, ctx.Err()
		}
	}
}

// awaited returns the end of a login that is in flight for a key without capacity: when it
// is refunded, the key may have some. It returns nil if such a key has none in flight: to
// wait for those of other keys would last for as long as somebody logs in.
func (s *Service) awaited(ctx context.Context, g *LoginLimits, at time.Time, guesses []LimitKey, refused *inflight.Counting) (next <-chan struct{}, err error) {
	waits, err := g.Limiter.WaitTimes(ctx, at, guesses...)
	if err != nil {
		return nil, err
	}
	for i, wait := range waits {
		if wait <= 0 {
			continue
		}
		if others, err := s.inflight.Others(ctx, refused, i); err != nil || !others {
			return nil, err
		}
		if next == nil {
			next = refused.Ended(i)
		}
	}
	if next == nil { // all have capacity by now
		now := make(chan struct{})
		close(now)
		next = now
	}
	return next, nil
}

// reserveNow is Reserve at this moment.
func (s *Service) reserveNow(ctx context.Context, g *LoginLimits, keys ...LimitKey) (at time.Time, wait time.Duration, err error) {
	if at, err = s.sharedTime(ctx); err != nil {
		return at, 0, err
	}
	wait, err = g.Limiter.Reserve(ctx, at, keys...)
	return at, wait, err
}

// sharedTime returns the time by the clock that all nodes share: if each went by its own, a
// node whose clock is behind would take what another counts for a leap, and they would lift
// each other's limits.
func (s *Service) sharedTime(ctx context.Context) (time.Time, error) {
	if s.databaseClock != nil {
		return s.databaseClock.DatabaseTime(ctx)
	}
	return s.now(), nil
}

// registrationLimit returns the limits, and the key of the client's network in that of
// registrations; nil: they are not limited.
func (s *Service) registrationLimit(ctx context.Context) (g *LoginLimits, key LimitKey) {
	g, network := s.loginLimits.Load(), clients.Of(ctx).Network()
	if g == nil || g.Registrations.Burst == 0 || network == "" {
		return nil, key
	}
	return g, LimitKey{Key: s.networkLimitKey("registration", network), Limit: g.Registrations}
}

// checkRegistrationLimit fails with KindThrottled when the client's address has no capacity
// left for a registration. It counts nothing.
func (s *Service) checkRegistrationLimit(ctx context.Context) error {
	g, key := s.registrationLimit(ctx)
	if g == nil {
		return nil
	}
	at, err := s.sharedTime(ctx)
	if err != nil {
		return wrapStoreError("look up registrations", err)
	}
	waits, err := g.Limiter.WaitTimes(ctx, at, key)
	if err != nil {
		return wrapStoreError("look up registrations", err)
	}
	if waits[0] > 0 {
		return &Error{Kind: KindThrottled, RetryAfter: waits[0]}
	}
	return nil
}

// reserveRegistration counts a registration before its password is hashed. The caller
// refunds it if that fails. It fails with KindThrottled when the client's address has no
// capacity left.
func (s *Service) reserveRegistration(ctx context.Context) (r reservation, err error) {
	g, key := s.registrationLimit(ctx)
	if g == nil {
		return r, nil
	}
	at, wait, err := s.reserveNow(ctx, g, key)
	if err != nil {
		return r, wrapStoreError("count registration", err)
	}
	if wait > 0 {
		return r, &Error{Kind: KindThrottled, RetryAfter: wait}
	}
	return reservation{keys: []LimitKey{key}, at: at}, nil
}

// ClearLimits gives a username, a client's network, or both, their full capacity for logins and for
// mails, and the network that for registrations; with the zero address, none. It returns how many
// of these limits had counted anything. It fails with KindUnavailable.
func (s *Service) ClearLimits(ctx context.Context, limiter RateLimiter, username string, address netip.Addr) (int, error) {
	var keys [][]byte
	e := s.newEntry(ctx, ActionClearLimits, "")
	if username != "" {
		username = lookup(username)
		found, err := s.findSubject(ctx, Policy{}, username)
		if err != nil {
			return 0, err
		}
		if account := found.account; account != nil {
			e.UserID, e.Username = account.ID, account.Username
		} else {
			e.UsernamePseudonym = pseudonym(s.pseudonymKey(), username)
		}
		keys = append(keys, s.accountLimitKey(found), s.spellingLimitKey(username), s.addressLimitKey(spelling.LowerASCII(username)))
		keys = append(keys, s.recipientLimitKeys(username, found.account)...)
		for _, kind := range mailLimitKinds() {
			keys = append(keys, s.mailLimitKey(kind, username, found.account))
		}
		for _, text := range []string{username, spelling.LowerASCII(username)} { // by which logins by address are counted
			key := s.accountLimitKey(subject{folded: text})
			if !slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
				keys = append(keys, key)
			}
		}
	}
	if network := (clients.Client{Address: address}).Network(); network != "" {
		keys = append(keys, s.networkLimitKey("address", network), s.networkLimitKey("registration", network), s.networkLimitKey("mail", network))
	}
	e.Actor = operatorOf(ctx)
	if address.IsValid() {
		e.Address = address.String()
	}
	n, err := limiter.ClearLimits(ctx, s.audited(&e), keys...)
	if err != nil {
		return 0, wrapStoreError("clear limits", err)
	}
	return n, nil
}

// release says that the outcome of a login has been counted.
func (s *Service) release(reserved reservation) { s.inflight.End(inflightKeys(reserved.keys)) }

// inflightKeys returns the keys without their limits.
func inflightKeys(guesses []LimitKey) []string {
	keys := make([]string, len(guesses))
	for i, k := range guesses {
		keys[i] = string(k.Key)
	}
	return keys
}

// limitKeySize is the length of a key in bytes.
const limitKeySize = 16

// guessLimitKeys are the keys of a guess at a password of the subject. Where addresses are compared
// more loosely than usernames, there is one of all spellings of the address besides, whoever has
// it: else each spelling would have guesses of its own. It is another than that of the name, and
// counted for names too: what is refused would tell else which of the two the text is.
func (s *Service) guessLimitKeys(who subject) [][]byte {
	keys := [][]byte{s.accountLimitKey(who)}
	if who.address != "" {
		keys = append(keys, s.addressLimitKey(who.address))
	}
	return keys
}

// addressLimitKey is the key of an address in lower case.
func (s *Service) addressLimitKey(lower string) []byte {
	return sealing.KeyedDigest(s.pseudonymKey(), "email", lower)[:limitKeySize]
}

// accountLimitKey is the key of the account, however its name is spelt, or, without an
// account, that of the name, which may be a password. An address is counted like a name that
// nobody has: if it shared its guesses with the name, that would tell whose it is.
func (s *Service) accountLimitKey(who subject) []byte {
	if who.account == nil || who.byEmail {
		return sealing.KeyedDigest(s.pseudonymKey(), "account", who.folded)[:limitKeySize]
	}
	return sealing.KeyedDigest(s.databaseKey, "account", strconv.FormatInt(who.account.ID, 10))[:limitKeySize]
}

// spellingLimitKey is the key of all spellings of a username, which may be a password, that a
// [Referee] may take for one: else each would have guesses of its own at one password there.
func (s *Service) spellingLimitKey(username string) []byte {
	return sealing.KeyedDigest(s.pseudonymKey(), "spelling", spelling.Fold(username))[:limitKeySize]
}

// networkLimitKey is the key of what a network does, for all servers on the database.
func (s *Service) networkLimitKey(label, network string) []byte {
	return sealing.KeyedDigest(s.databaseKey, label, network)[:limitKeySize]
}

// refund takes back a login that was no wrong guess, or a registration whose password was
// not hashed. A client cannot prevent that by disconnecting.
func (s *Service) refund(ctx context.Context, reserved reservation) {
	g := s.loginLimits.Load()
	if g == nil || len(reserved.keys) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refundTimeout)
	defer cancel()
	if err := g.Limiter.Refund(ctx, reserved.at, reserved.keys...); err != nil && !errors.Is(err, ErrUnavailable) {
		s.log.Warn("a login stays counted as a guess, or a registration that failed as one", "error", err)
	}
}

// followUpTimeout limits what is done for a request after its outcome is known, but for
// refunds: these are not given up while the store works.
const (
	followUpTimeout = 5 * time.Second
	refundTimeout   = 30 * time.Second
)
