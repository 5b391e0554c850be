package core

import (
	"context"
	"errors"
	"time"
)

// Login checks a password and gives a session: the user's live token again
// where the policy reuses it, else a new one. It fails with
// KindInvalidCredentials, KindUserInactive (right password, inactive user),
// KindUnavailable, KindOverloaded, KindThrottled or KindCanceled. An unknown name costs the
// same hash as a known one.
//
// A login is counted as a guess before its password is hashed, and taken back if
// it was none; one that finds the limit full of others that are being hashed waits
// for them. One that comes after too many takes as long as a wrong password
// and fails as one does, unless the policy tells; nothing is hashed for it.
func (s *Service) Login(ctx context.Context, p Policy, username, plain string) (Session, error) {
	leave, err := s.hasher.Acquire(plain)
	if err != nil {
		s.emit(ActionLogin, p.Issuer, KindOverloaded.String())
		return Session{}, wrapHashError(err)
	}
	defer leave()
	reserved, wait, err := s.reserve(ctx, username)
	if err != nil {
		err := wrapStoreError("count guess", err)
		s.emit(ActionLogin, p.Issuer, err.Kind.String())
		return Session{}, err
	}
	if wait > 0 {
		leave()
		s.emit(ActionLogin, p.Issuer, KindThrottled.String())
		return Session{}, s.throttled(ctx, p, username, wait)
	}
	defer s.release(reserved)
	e := s.newEntry(ctx, ActionLogin, p.Issuer)
	session, err := s.login(ctx, p, &e, username, plain)
	kind := KindOf(err)
	switch {
	case err == nil:
		s.refund(ctx, reserved)
	case kind == KindInvalidCredentials || kind == KindUserInactive:
		e.Outcome = kind.String()
		s.recordFailure(ctx, e)
	default:
		e.Outcome = kind.String()
		s.refund(ctx, reserved)
	}
	s.emit(ActionLogin, p.Issuer, e.Outcome)
	return session, err
}

// throttled is the answer to a login after too many guesses.
func (s *Service) throttled(ctx context.Context, p Policy, username string, wait time.Duration) error {
	if p.TellThrottled {
		return &Error{Kind: KindThrottled, RetryAfter: wait}
	}
	account, err := s.account(ctx, username)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return wrapStoreError("find user", err)
	}
	if err := s.hasher.SimulateLatency(ctx, username, account.PasswordHash); err != nil {
		return wrapHashError(err)
	}
	return &Error{Kind: KindInvalidCredentials}
}

// login checks the password and issues a token. It says in e on whom.
func (s *Service) login(ctx context.Context, p Policy, e *AuditEntry, username, plain string) (Session, error) {
	account, err := s.checkPassword(ctx, e, username, plain)
	if err != nil {
		return Session{}, err
	}
	now := s.now()
	fresh, key, err := s.mint(p, account.ID, now)
	if err != nil {
		return Session{}, s.wrapSealError("issue token", err)
	}
	e.Token = TokenID(fresh.Digest)
	if !p.Reuse {
		if err := s.store.IssueToken(s.withAudit(ctx, e), fresh); err != nil {
			return Session{}, wrapIssueError(err)
		}
		return Session{User: account.User, Token: fresh, Key: key}, nil
	}
	token, err := s.store.ReuseToken(s.withAudit(ctx, e), fresh, now)
	if err != nil {
		return Session{}, wrapIssueError(err)
	}
	if string(token.Digest) != string(fresh.Digest) {
		if key = string(token.Plaintext); key != "" {
			return Session{User: account.User, Token: token, Key: key}, nil
		}
		if key, err = s.openToken(token); err != nil {
			return Session{}, s.wrapSealError("show token again", err)
		}
	}
	return Session{User: account.User, Token: token, Key: key}, nil
}

// account finds an account, or fails with ErrNotFound as a store does.
func (s *Service) account(ctx context.Context, username string) (Account, error) {
	if !Storable(username) {
		return Account{}, ErrNotFound
	}
	return s.store.Account(ctx, username)
}

// checkPassword finds the account that username and plain are the credentials
// of, and brings its hash up to date.
func (s *Service) checkPassword(ctx context.Context, e *AuditEntry, username, plain string) (Account, error) {
	account, err := s.account(ctx, username)
	if errors.Is(err, ErrNotFound) {
		e.UsernamePseudonym = s.Pseudonym(username)
		if err := s.hasher.HashDummy(ctx, username, plain); err != nil {
			return Account{}, wrapHashError(err)
		}
		return Account{}, &Error{Kind: KindInvalidCredentials}
	}
	if err != nil {
		return Account{}, wrapStoreError("find user", err)
	}
	e.UserID, e.Username = account.ID, account.Username
	ok, rehash, err := s.hasher.Check(ctx, username, account.PasswordHash, plain)
	if err != nil {
		return Account{}, wrapHashError(err)
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
		err = s.store.UpdatePassword(ctx, account.ID, account.PasswordHash, encoded, true)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		s.log.Warn("password hash stays as it was", "user_id", account.ID, "error", err)
	}
}

// hashing turns a hasher's failure into the engine's error.
func wrapHashError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return wrapStoreError("hash password", err)
}

// issuing turns a store's failure to add a token into the engine's error. A
// user who was deleted since the password was checked has no credentials.
func wrapIssueError(err error) *Error {
	if errors.Is(err, ErrNotFound) {
		return &Error{Kind: KindInvalidCredentials, Err: err}
	}
	return wrapStoreError("issue token", err)
}
