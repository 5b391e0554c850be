package core

import (
	"context"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/spelling"
)

// MaxUsername is the longest username that the engine stores, in code points: that of an
// address, which is the username in user models whose USERNAME_FIELD is the e-mail. What
// an API allows is a matter of its policy.
const MaxUsername = MaxEmail

// MaxEmail is the longest address, in code points (AbstractUser.email).
const MaxEmail = 254

// Registration is a new user, validated by a dialect.
type Registration struct {
	Username   string
	Email      string
	Password   string
	Inactive   bool
	Attributes map[string]string
	// NoToken makes a user without a token, for an API whose reply shows none: nobody would
	// ever know it.
	NoToken bool
	// NoPassword makes a user who can't log in with any password; Password is ignored.
	NoPassword bool
}

// Register makes a user and the first token, both or neither, or the user alone (NoToken);
// then the session has no token. It fails with
// KindUsernameTaken, KindEmailTaken, KindInvalidUser, KindUnavailable, KindOverloaded or KindThrottled.
func (s *Service) Register(ctx context.Context, p Policy, r Registration) (Session, error) {
	clients.Present(ctx, r.Password)
	u, err := s.newRegistrant(ctx, p, r)
	if err != nil {
		s.emit(ActionRegister, p.Issuer, KindOf(err).String())
		return Session{}, err
	}
	e := s.newEntry(ctx, ActionRegister, p.Issuer)
	e.Username = u.Username
	var session Session
	var minting error
	mint := func(user User) (Token, error) {
		session.Token, session.Key, minting = s.mint(p, user.ID, u.CreatedAt)
		e.UserID, e.Token = user.ID, TokenID(session.Token.Digest)
		return session.Token, minting
	}
	if r.NoToken {
		mint = nil
	}
	session.User, err = s.store.CreateUser(ctx, u, mint, s.audited(&e))
	if minting != nil {
		return Session{}, s.wrapSealError("issue token", minting)
	}
	if err != nil {
		s.emit(ActionRegister, p.Issuer, wrapStoreError("create user", err).Kind.String())
		return Session{}, wrapStoreError("create user", err)
	}
	clients.Identify(ctx, session.User.Username)
	s.emit(ActionRegister, p.Issuer, OK)
	return session, nil
}

// CreateUser makes a user without a token, for an operator. Errors as Register.
func (s *Service) CreateUser(ctx context.Context, p Policy, r Registration) (User, error) {
	u, err := s.newUser(p, r)
	if err == nil {
		u.PasswordHash, err = s.encode(ctx, r, func(ctx context.Context) error { return s.checkFree(ctx, p, u) })
	}
	if err != nil {
		return User{}, err
	}
	e := s.newEntry(ctx, ActionCreateUser, "")
	e.Username, e.Actor = u.Username, operatorOf(ctx)
	user, err := s.store.CreateUser(ctx, u, nil, s.audited(&e))
	if err != nil {
		return User{}, wrapStoreError("create user", err)
	}
	return user, nil
}

// UsernameTaken reports whether a user has this name now, as the policy compares names, for dialects that report
// it together with other problems. Only Register decides.
func (s *Service) UsernameTaken(ctx context.Context, p Policy, username string) (bool, error) {
	if p.UsernameCaseBlind && s.accounts != nil {
		if username = lookup(username); !Storable(username) {
			return false, nil
		}
		alike, err := s.accounts.FindAccounts(ctx, ByUsername, username, true, 1)
		if err != nil {
			return false, wrapStoreError("find user", err)
		}
		if len(alike) > 0 {
			return true, nil
		}
	}
	_, err := s.User(ctx, username)
	if err != nil && KindOf(err) == KindUserUnknown {
		return false, nil
	}
	return err == nil, err
}

// newRegistrant makes the user of a registration, which is counted from when its password is
// about to be hashed. Nobody has the store read or write who has not got a place in the queue
// of hashes, in which networks share; one that is refused then costs a few looks.
func (s *Service) newRegistrant(ctx context.Context, p Policy, r Registration) (NewUser, error) {
	u, err := s.newUser(p, r)
	if err != nil {
		return NewUser{}, err
	}
	var reserved reservation
	u.PasswordHash, err = s.encode(ctx, r, func(ctx context.Context) (err error) {
		if err = s.checkRegistrationLimit(ctx); err == nil {
			err = s.checkFree(ctx, p, u)
		}
		if err == nil {
			reserved, err = s.reserveRegistration(ctx)
		}
		return err
	})
	if err != nil {
		s.refund(ctx, reserved)
		return NewUser{}, err
	}
	return u, nil
}

// newUser makes a user without a password, and checks what every store relies on. It reads
// nothing.
func (s *Service) newUser(p Policy, r Registration) (NewUser, error) {
	u := NewUser{Username: r.Username, Email: r.Email, Inactive: r.Inactive, Attributes: r.Attributes, CreatedAt: s.now(), Distinct: s.distinct(p), KeepAddress: p.EmailVerification != EmailVerificationNone}
	if p.EmailIsUsername {
		u.Email = u.Username
	}
	if p.NormalizeUsername {
		u.Username = spelling.Normalize(u.Username)
	}
	if p.NormalizeEmail {
		u.Email = normalizeEmail(u.Email)
	}
	if p.EmailIsUsername {
		u.Username = u.Email
	}
	// Before a hash is spent on it.
	if err := p.checkUsername(u.Username); err != nil {
		return NewUser{}, err
	}
	if err := s.checkStorable(u); err != nil {
		return NewUser{}, err
	}
	return u, nil
}

// checkFree fails with KindUsernameTaken or KindEmailTaken if a user has the name or the
// address now, so that no hash is spent on it.
func (s *Service) checkFree(ctx context.Context, p Policy, u NewUser) error {
	taken, err := s.UsernameTaken(ctx, p, u.Username)
	if err != nil {
		return err
	}
	if taken {
		return &Error{Kind: KindUsernameTaken}
	}
	if err := s.checkNobodysAddress(ctx, p, User{Username: u.Username}); err != nil {
		return err
	}
	if s.distinct(p).Email {
		if taken, err = s.EmailTaken(ctx, u.Email, 0); taken {
			return &Error{Kind: KindEmailTaken}
		}
	}
	return err
}

// encode hashes the password of a registration, or returns one that none matches. Before
// it does, with a place in the queue, it calls admitted, unless that is nil; an error of it
// is returned as it is.
func (s *Service) encode(ctx context.Context, r Registration, admitted func(context.Context) error) (encoded string, err error) {
	if !r.NoPassword {
		var leave func()
		if ctx, leave, err = s.hasher.Acquire(ctx, len(r.Password)); err != nil {
			return "", wrapHashError(err)
		}
		defer leave()
	}
	if admitted != nil {
		if err := admitted(ctx); err != nil {
			return "", err
		}
	}
	if r.NoPassword {
		encoded, err = s.hasher.Unusable()
	} else {
		encoded, err = s.hasher.Hash(ctx, r.Password)
	}
	if err != nil {
		return "", wrapHashError(err)
	}
	return encoded, nil
}

// normalizeEmail does what BaseUserManager.normalize_email does
// (django/contrib/auth/base_user.py 3.2): strip, split at the last "@",
// lower-case the domain as Unicode's rules for whole texts have it, as str.lower
// does; an address without "@" stays as it was.
func normalizeEmail(address string) string {
	stripped := spelling.Strip(address)
	at := strings.LastIndexByte(stripped, '@')
	if at < 0 {
		return address
	}
	return stripped[:at+1] + cases.Lower(language.Und).String(stripped[at+1:])
}
