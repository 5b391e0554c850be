package core

import (
	"context"
	"errors"
)

// Login checks a password and gives a session: the user's live token again
// where the policy reuses it, else a new one. It fails with
// KindInvalidCredentials, KindUserInactive (right password, inactive user),
// KindUnavailable, KindOverloaded or KindThrottled. An unknown name costs the
// same hash as a known one.
func (s *Service) Login(ctx context.Context, p Policy, username, plain string) (Session, error) {
	account, err := s.checkPassword(ctx, username, plain)
	if err != nil {
		return Session{}, err
	}
	now := s.now()
	fresh, key, err := s.mint(p, account.ID, now)
	if err != nil {
		return Session{}, s.sealing("issue token", err)
	}
	if !p.Reuse {
		if err := s.store.IssueToken(ctx, fresh); err != nil {
			return Session{}, issuing(err)
		}
		return Session{User: account.User, Token: fresh, Key: key}, nil
	}
	token, err := s.store.ReuseToken(ctx, fresh, now)
	if err != nil {
		return Session{}, issuing(err)
	}
	if string(token.Digest) != string(fresh.Digest) {
		if key, err = s.sealer.open(token); err != nil {
			return Session{}, s.sealing("show token again", err)
		}
	}
	return Session{User: account.User, Token: token, Key: key}, nil
}

// checkPassword finds the account that username and plain are the credentials
// of, and brings its hash up to date.
func (s *Service) checkPassword(ctx context.Context, username, plain string) (Account, error) {
	account, err := Account{}, ErrNotFound
	if storableName(username) {
		account, err = s.store.Account(ctx, username)
	}
	if errors.Is(err, ErrNotFound) {
		if err := s.hasher.Burn(ctx, username, plain); err != nil {
			return Account{}, hashing(err)
		}
		return Account{}, &Error{Kind: KindInvalidCredentials}
	}
	if err != nil {
		return Account{}, failure("find user", err)
	}
	ok, rehash, err := s.hasher.Check(ctx, account.PasswordHash, plain)
	if err != nil {
		return Account{}, hashing(err)
	}
	if !ok {
		return Account{}, &Error{Kind: KindInvalidCredentials}
	}
	if !account.Active {
		return Account{}, &Error{Kind: KindUserInactive}
	}
	if rehash {
		s.rehash(ctx, account, plain)
	}
	return account, nil
}

// rehash replaces a weak hash. A failure is only logged: the login is good
// without it, and the next one tries again.
func (s *Service) rehash(ctx context.Context, account Account, plain string) {
	encoded, err := s.hasher.Hash(ctx, plain)
	if err == nil {
		err = s.store.UpdatePassword(ctx, account.ID, account.PasswordHash, encoded)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		s.log.Warn("password hash stays as it was", "user_id", account.ID, "error", err)
	}
}

// hashing turns a hasher's failure into the engine's error.
func hashing(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return failure("hash password", err)
}

// issuing turns a store's failure to add a token into the engine's error. A
// user who was deleted since the password was checked has no credentials.
func issuing(err error) *Error {
	if errors.Is(err, ErrNotFound) {
		return &Error{Kind: KindInvalidCredentials, Err: err}
	}
	return failure("issue token", err)
}
