package core

import (
	"context"
	"fmt"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/fairshare"
)

// writeTurns are the turns in which clients have a store write: a network that has one
// request does not wait behind the hundreds of another. nil: each writes at once.
//
// Within a network, what follows a hash comes ahead: a login that is half done is finished
// before others begin, and its refund is not late.
type writeTurns fairshare.Turns

// Whether a write comes before others of its network.
const (
	ahead  = true
	behind = false
)

// writeWait limits how long a write waits for its turn.
const writeWait = 5 * time.Second

// newWriteTurns returns the turns for a store that writes so many at a time ([Backend]).
func newWriteTurns(writers int) *writeTurns {
	if writers == 0 {
		return nil
	}
	return (*writeTurns)(fairshare.NewTurns(writers))
}

// do waits for the turn of the context's client, and writes. It fails with ErrUnavailable if
// the wait is too long.
func (t *writeTurns) do(ctx context.Context, first bool, wait time.Duration, write func() error) error {
	if t == nil {
		return write()
	}
	turns := (*fairshare.Turns)(t)
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := turns.Enter(bounded, clients.Of(ctx).Networks(), first); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: others have been writing for %v", ErrUnavailable, wait)
		}
		return err
	}
	defer turns.Leave()
	return write()
}

// turnStore is a Store that is written to in turns.
type turnStore struct {
	Store
	turns *writeTurns
}

func (s turnStore) CreateUser(ctx context.Context, u NewUser, mint func(User) (Token, error), audit *AuditEntry) (user User, err error) {
	err = s.turns.do(ctx, ahead, writeWait, func() (err error) {
		user, err = s.Store.CreateUser(ctx, u, mint, audit)
		return err
	})
	return user, err
}

func (s turnStore) IssueToken(ctx context.Context, t Token, passwordHash string, limit int, audit *AuditEntry) error {
	return s.turns.do(ctx, ahead, writeWait, func() error { return s.Store.IssueToken(ctx, t, passwordHash, limit, audit) })
}

func (s turnStore) ReuseToken(ctx context.Context, fresh Token, passwordHash string, now time.Time, audit *AuditEntry) (t Token, err error) {
	err = s.turns.do(ctx, ahead, writeWait, func() (err error) {
		t, err = s.Store.ReuseToken(ctx, fresh, passwordHash, now, audit)
		return err
	})
	return t, err
}

func (s turnStore) ExtendExpiry(ctx context.Context, d Digest, to, now time.Time) error {
	return s.turns.do(ctx, behind, writeWait, func() error { return s.Store.ExtendExpiry(ctx, d, to, now) })
}

func (s turnStore) DeleteToken(ctx context.Context, d Digest, audit *AuditEntry) error {
	return s.turns.do(ctx, behind, writeWait, func() error { return s.Store.DeleteToken(ctx, d, audit) })
}

func (s turnStore) DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *AuditEntry) (n int, err error) {
	err = s.turns.do(ctx, behind, writeWait, func() (err error) {
		n, err = s.Store.DeleteUserTokens(ctx, userID, realm, audit)
		return err
	})
	return n, err
}

func (s turnStore) TrimTokens(ctx context.Context, userID int64, realm string, most int) (n int, err error) {
	err = s.turns.do(ctx, behind, writeWait, func() (err error) {
		n, err = s.Store.TrimTokens(ctx, userID, realm, most)
		return err
	})
	return n, err
}

func (s turnStore) UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool, audit *AuditEntry) error {
	return s.turns.do(ctx, ahead, writeWait, func() error { return s.Store.UpdatePassword(ctx, userID, old, encoded, rehash, audit) })
}

// turnAccounts is an AccountStore that is written to in turns.
type turnAccounts struct {
	AccountStore
	turns *writeTurns
}

func (s turnAccounts) UpdateUser(ctx context.Context, c UserChange, audit *AuditEntry) (user User, err error) {
	err = s.turns.do(ctx, behind, writeWait, func() (err error) {
		user, err = s.AccountStore.UpdateUser(ctx, c, audit)
		return err
	})
	return user, err
}

func (s turnAccounts) RemoveUser(ctx context.Context, userID int64, passwordHash string, audit *AuditEntry) error {
	return s.turns.do(ctx, ahead, writeWait, func() error { return s.AccountStore.RemoveUser(ctx, userID, passwordHash, audit) })
}

func (s turnAccounts) ActivateUser(ctx context.Context, userID int64, link LinkUse, audit *AuditEntry) error {
	return s.turns.do(ctx, ahead, writeWait, func() error { return s.AccountStore.ActivateUser(ctx, userID, link, audit) })
}

func (s turnAccounts) ChangePassword(ctx context.Context, c PasswordChange, audit *AuditEntry) (ended int, err error) {
	err = s.turns.do(ctx, ahead, writeWait, func() (err error) {
		ended, err = s.AccountStore.ChangePassword(ctx, c, audit)
		return err
	})
	return ended, err
}

// turnAddresses is an AddressStore that is written to in turns, as far as clients do.
type turnAddresses struct {
	AddressStore
	turns *writeTurns
}

func (s turnAddresses) VerifyAddress(ctx context.Context, id int64, audit *AuditEntry) error {
	return s.turns.do(ctx, ahead, writeWait, func() error { return s.AddressStore.VerifyAddress(ctx, id, audit) })
}

// turnLimiter is a RateLimiter that is written to in turns.
type turnLimiter struct {
	RateLimiter
	turns *writeTurns
}

func (l turnLimiter) Reserve(ctx context.Context, now time.Time, guesses ...LimitKey) (wait time.Duration, err error) {
	err = l.turns.do(ctx, behind, writeWait, func() (err error) {
		wait, err = l.RateLimiter.Reserve(ctx, now, guesses...)
		return err
	})
	return wait, err
}

// Refund waits for as long as its context allows: who has logged in must not be counted.
func (l turnLimiter) Refund(ctx context.Context, at time.Time, guesses ...LimitKey) error {
	return l.turns.do(ctx, ahead, refundTimeout, func() error { return l.RateLimiter.Refund(ctx, at, guesses...) })
}

// turnAuditor is an Auditor that is written to in turns.
type turnAuditor struct {
	Auditor
	turns *writeTurns
}

func (a turnAuditor) Record(ctx context.Context, e AuditEntry) error {
	return a.turns.do(ctx, ahead, writeWait, func() error { return a.Auditor.Record(ctx, e) })
}

// turnMailStore is a MailStore that is written to in turns, as far as clients do.
type turnMailStore struct {
	MailStore
	turns *writeTurns
}

func (m turnMailStore) EnqueueMail(ctx context.Context, mail Mail, audit *AuditEntry) error {
	return m.turns.do(ctx, behind, writeWait, func() error { return m.MailStore.EnqueueMail(ctx, mail, audit) })
}
