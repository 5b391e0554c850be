package core

import (
	"context"
	"errors"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/maillink"
)

// How users confirm what they do, by their password or by the link in a mail, and passwords that are checked without a login.

// AuthenticatePassword returns the confirmation of the user whom a name, as of the policy's LoginBy, and a
// password belong to, and issues nothing: HTTP Basic (RFC 7617) says them with each request.
// It is limited, and fails, as Login does; only a failure is in the audit log.
func (s *Service) AuthenticatePassword(ctx context.Context, p Policy, name, plain string) (Confirmation, error) {
	name = lookup(name)
	account, err := s.checkGuess(ctx, p, ActionAuthenticate, len(name), plain, func(ctx context.Context) (subject, error) {
		return s.findSubject(ctx, p, name)
	})
	if err != nil {
		return Confirmation{}, err
	}
	clients.Identify(ctx, account.User.Username)
	return Confirmation{account: account, plain: plain, confirmed: true}, nil
}

// Reconfirm returns the user whose password was confirmed, as there is by now. It fails with KindInvalidCredentials
// if the user has another password or is gone, with KindUserInactive, KindOverloaded or KindUnavailable.
func (s *Service) Reconfirm(ctx context.Context, c Confirmation) (User, error) {
	account, err := s.accountByID(ctx, c.account.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return User{}, &Error{Kind: KindInvalidCredentials, Err: err}
	case err != nil:
		return User{}, wrapStoreError("find user", err)
	case !account.Active:
		return User{}, &Error{Kind: KindUserInactive}
	}
	if account.PasswordHash != c.account.PasswordHash { // by a login that has hashed it anew, unless it is another
		ok, err := s.checkAgain(ctx, account, c.plain)
		if err != nil {
			return User{}, err
		}
		if !ok {
			return User{}, &Error{Kind: KindInvalidCredentials, Err: ErrPasswordChanged}
		}
	}
	return account.User, nil
}

// Confirmation is a user who may do what takes the password.
type Confirmation struct {
	account   Account
	plain     string
	confirmed bool // plain is the password
	// others says that it is the right of another user, which does not depend on the password.
	others bool
	// link reports whether the link that confirms is good for the account; nil: there is none.
	link  func(account Account) bool
	still Still
}

// Still returns nil if a client may do now what it has asked for: the token or the password by which it was recognised
// when its request began is good still. The body of a request can take half a minute to come, and a
// password as long to be hashed; whoever has all tokens of an account ended must not have to hope that none of its
// requests is under way. nil is for a client that has shown neither. An error is returned as it is.
type Still func(context.Context) error

// check calls it, unless it is nil.
func (still Still) check(ctx context.Context) error {
	if still == nil {
		return nil
	}
	return still(ctx)
}

// User returns the user.
func (c Confirmation) User() User { return c.account.User }

// ConfirmPassword checks the password of a user who is logged in already. It counts as a login
// of the user for the limits, and fails as Login does, or with KindUserUnknown if the user is
// gone; only a failure is in the audit log.
func (s *Service) ConfirmPassword(ctx context.Context, p Policy, u User, plain string) (Confirmation, error) {
	gone := false
	account, err := s.checkGuess(ctx, p, ActionConfirm, len(u.Username), plain, func(ctx context.Context) (subject, error) {
		account, err := s.accountByID(ctx, u.ID)
		if errors.Is(err, ErrNotFound) {
			gone = true
			return subject{username: u.Username, folded: u.Username}, nil
		}
		if err != nil {
			return subject{}, wrapStoreError("find user", err)
		}
		return subject{username: account.Username, folded: account.Username, account: &account}, nil
	})
	switch {
	case err == nil:
		return Confirmation{account: account, plain: plain, confirmed: true}, nil
	case gone && KindOf(err) == KindInvalidCredentials:
		return Confirmation{}, &Error{Kind: KindUserUnknown, Err: err}
	}
	return Confirmation{}, err
}

// Unconfirmed returns the confirmation of a user whom an API asks for no password; by is who asks.
// What users do with it to their own account fails with KindUnavailable if the password is
// changed meanwhile: with that, the token by which they are known may have ended. It fails with
// KindUserUnknown or KindUnavailable.
func (s *Service) Unconfirmed(ctx context.Context, by, u User) (Confirmation, error) {
	account, err := s.accountByID(ctx, u.ID)
	if err != nil {
		return Confirmation{}, wrapUserError("find user", err)
	}
	return Confirmation{account: account, others: by.ID != u.ID}, nil
}

// Confirmed returns the confirmation c of who asks, by, to do something to the account of u, or that of
// Unconfirmed where the API has asked for no password (nil), or the account is another's. What is done with it
// fails as still does, which is called before each attempt. Errors as Unconfirmed.
func (s *Service) Confirmed(ctx context.Context, by, u User, c *Confirmation, still Still) (confirmed Confirmation, err error) {
	if c == nil || by.ID != u.ID {
		confirmed, err = s.Unconfirmed(ctx, by, u)
	} else {
		confirmed = *c
	}
	confirmed.still = still
	return confirmed, err
}

// checkGuess returns the account of a subject whose password is plain. It counts a guess
// before anything is hashed, and refunds it unless it was a wrong one, as LoginOrAdopt does.
func (s *Service) checkGuess(ctx context.Context, p Policy, act Action, size int, plain string, find func(context.Context) (subject, error)) (account Account, err error) {
	clients.Present(ctx, plain)
	outcome := ""
	defer func() {
		if outcome == "" && err != nil {
			outcome = KindOf(err).String()
		} else if outcome == "" {
			outcome = OK
		}
		s.emit(act, p.Issuer, outcome)
	}()
	ctx, leave, err := s.hasher.Acquire(ctx, size+len(plain))
	if err != nil {
		outcome = KindOverloaded.String()
		return Account{}, wrapHashError(err)
	}
	defer leave()
	who, err := find(ctx)
	if err != nil {
		return Account{}, err
	}
	reserved, wait, err := s.reserve(ctx, s.guessLimitKeys(who)...)
	if err != nil {
		return Account{}, wrapStoreError("count guess", err)
	}
	if wait > 0 {
		leave()
		outcome = KindThrottled.String()
		return Account{}, s.throttled(ctx, p, who, wait, reserved.took)
	}
	defer s.release(reserved)
	if reserved.waited { // for logins that may have replaced a weak hash
		if who, err = find(ctx); err != nil {
			s.refund(ctx, reserved)
			return Account{}, err
		}
	}
	e := s.newEntry(ctx, act, p.Issuer)
	account, err = s.checkPassword(ctx, &e, who, plain)
	switch kind := KindOf(err); {
	case err == nil:
		s.refund(ctx, reserved)
	case kind == KindInvalidCredentials || kind == KindUserInactive:
		e.Outcome = kind.String()
		s.endWrongGuess(ctx, e, reserved)
	default:
		s.refund(ctx, reserved)
	}
	return account, err
}

// withPassword calls do with the encoded password that was confirmed. If it is another by
// then, it is confirmed again, because a login may have hashed it anew. What nothing confirms is
// done no more then: whoever changed the password may have shut out who asks.
func (s *Service) withPassword(ctx context.Context, doing string, c Confirmation, do func(account Account) error) error {
	for attempt := range maxLoginAttempts {
		// The account was read before: whoever ends the tokens and changes the password, in this order or the
		// other, is noticed by one of the two. A second attempt may follow one that has ended the user's own tokens.
		if attempt == 0 || !c.confirmed {
			if err := c.still.check(ctx); err != nil {
				return err
			}
		}
		err := do(c.account)
		if errors.Is(err, errLink) {
			return err
		}
		if !errors.Is(err, ErrPasswordChanged) {
			return wrapUserError(doing, err)
		}
		if !c.confirmed && c.link == nil && !c.others {
			break
		}
		account, err := s.accountByID(ctx, c.account.ID)
		if err != nil {
			return wrapUserError(doing, err)
		}
		c.account = account
		if !c.confirmed {
			continue
		}
		ok, err := s.checkAgain(ctx, account, c.plain)
		if err != nil {
			return err
		}
		if !ok {
			return &Error{Kind: KindInvalidCredentials, Err: ErrPasswordChanged}
		}
	}
	return &Error{Kind: KindUnavailable, Err: ErrPasswordChanged}
}

// checkAgain reports whether a password that was right is right still.
func (s *Service) checkAgain(ctx context.Context, account Account, plain string) (bool, error) {
	ctx, leave, err := s.hasher.Acquire(ctx, len(account.Username)+len(plain))
	if err != nil {
		return false, wrapHashError(err)
	}
	defer leave()
	ok, _, err := s.hasher.Check(ctx, account.Username, account.PasswordHash, plain)
	if err != nil {
		return false, wrapHashError(err)
	}
	return ok, nil
}

// errLink is the error of a link that is good for nothing, or no longer.
var errLink = errors.New("the link is not the user's, has been used, or has expired")

// LinkUser is what the tokens of the account's links are made of.
func (a Account) LinkUser() maillink.User {
	return maillink.User{ID: a.ID, PasswordHash: a.PasswordHash, Email: a.Email, LastLogin: a.LastLogin}
}

// ConfirmLink checks the token of a link for a user. It fails with KindUserUnknown, with
// KindInvalidCredentials if the token is not good for the user, or with KindUnavailable. A link that is made is not
// used: that is what the confirmation is for.
//
// Tokens have no limit of guesses: one has 128 bits of a keyed hash, or 80 in the formats of Django 2.2 and SHA-1, and a
// guess takes a request. A limit for each user would let anybody keep others from using their links.
func (s *Service) ConfirmLink(ctx context.Context, links *maillink.Generator, userID int64, token string) (Confirmation, error) {
	account, err := s.accountByID(ctx, userID)
	if err != nil {
		return Confirmation{}, wrapUserError("find user", err)
	}
	var emails []string
	if links.AllEmails {
		if emails, err = EmailsOf(ctx, s.addresses, userID); err != nil {
			return Confirmation{}, wrapStoreError("find addresses", err)
		}
	}
	c := Confirmation{account: account, link: func(a Account) bool {
		u := a.LinkUser()
		u.Emails = emails
		return links.Check(u, token, s.now()) == nil
	}}
	if !c.link(account) {
		return Confirmation{}, &Error{Kind: KindInvalidCredentials, Err: errLink}
	}
	clients.Identify(ctx, account.Username)
	return c, nil
}

// use returns the use at now of the link that confirms, or nil without one. It fails with
// KindInvalidCredentials if the link is not good for the account.
func (c Confirmation) use(account Account, now time.Time) (*LinkUse, error) {
	if c.link == nil {
		return nil, nil
	}
	if !c.link(account) {
		return nil, &Error{Kind: KindInvalidCredentials, Err: errLink}
	}
	// Tokens of links know the second of the last login: in the same one they would stay good.
	if last := account.LastLogin.Truncate(time.Second); !now.Truncate(time.Second).After(last) && !last.IsZero() {
		now = last.Add(time.Second)
	}
	return &LinkUse{PasswordHash: account.PasswordHash, Email: account.Email, LastLogin: account.LastLogin, At: now}, nil
}

// by says in the audit log what confirms, if that is no password.
func (c Confirmation) by() string {
	if c.link != nil {
		return "link"
	}
	return ""
}
