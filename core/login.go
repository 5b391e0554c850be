package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/authcompat/authcompat/core/clients"
	"github.com/authcompat/authcompat/core/internal/recent"
)

// Login checks a password and returns a session: with the user's live token if the policy
// reuses it, else with a new one. It fails with KindInvalidCredentials, KindUserInactive
// (right password, inactive user), KindEmailUnverified (likewise), KindTokenLimit (right password), KindUnavailable, KindOverloaded, KindThrottled or
// KindCanceled. An unknown username costs as much hashing as a known one.
//
// A login is counted against the rate limits before its password is hashed. It is refunded
// unless it failed with KindInvalidCredentials, KindUserInactive or KindEmailUnverified. If the limit is
// exhausted by logins that are being hashed, it waits for them. If the limit is exhausted
// by wrong ones, it takes as long as a wrong password and fails like one, unless the
// policy reveals it; nothing is hashed.
func (s *Service) Login(ctx context.Context, p Policy, username, plain string) (Session, error) {
	session, _, err := s.LoginOrAdopt(ctx, p, username, plain, nil)
	return session, err
}

// LoginOrAdopt is Login with a referee, which is asked about names and passwords that are not
// good here; nil: there is none. If the referee vouches for them, the user and a hash of the
// password are kept, and adopted is true: the session has the user alone, and no token.
//
// It is not asked where users log in by their addresses, of which it knows nothing.
//
// With a referee, all spellings of a username that it may take for one are counted as one too.
// It is asked after the login was counted, and once. A login that is not good here
// and that the referee does not vouch for stays counted, whatever the error: its client has
// learned that the password is not the one that is kept here.
func (s *Service) LoginOrAdopt(ctx context.Context, p Policy, username, plain string, referee Referee) (session Session, adopted bool, err error) {
	clients.Present(ctx, plain)
	username = lookup(username)
	client := ctx
	ctx, leave, err := s.hasher.Acquire(ctx, len(username)+len(plain))
	if err != nil {
		s.emit(ActionLogin, p.Issuer, KindOverloaded.String())
		return Session{}, false, wrapHashError(err)
	}
	defer leave()
	who, err := s.findSubject(ctx, p, username)
	if err != nil {
		s.emit(ActionLogin, p.Issuer, KindOf(err).String())
		return Session{}, false, err
	}
	if p.LoginBy != ByUsername {
		referee = nil
	}
	keys := s.guessLimitKeys(who)
	if referee != nil {
		keys = append(keys, s.spellingLimitKey(username))
	}
	reserved, wait, err := s.reserve(ctx, keys...)
	if err != nil {
		err := wrapStoreError("count guess", err)
		s.emit(ActionLogin, p.Issuer, err.Kind.String())
		return Session{}, false, err
	}
	if wait > 0 {
		leave()
		s.emit(ActionLogin, p.Issuer, KindThrottled.String())
		return Session{}, false, s.throttled(ctx, p, who, wait, reserved.took-s.questionTime(referee))
	}
	defer s.release(reserved)
	if reserved.waited { // for logins that may have replaced a weak hash
		if who, err = s.findSubject(ctx, p, username); err != nil {
			s.refund(ctx, reserved)
			s.emit(ActionLogin, p.Issuer, KindOf(err).String())
			return Session{}, false, err
		}
	}
	e := s.newEntry(ctx, ActionLogin, p.Issuer)
	session, err = s.login(ctx, p, &e, who, plain)
	wrong := err != nil && KindOf(err) == KindInvalidCredentials
	if wrong && referee != nil {
		leave() // other passwords are hashed while the referee thinks
		session, adopted, err = s.adopt(client, p, who, plain, referee)
		wrong = !adopted
	}
	kind := KindOf(err)
	switch {
	case err == nil:
		s.refund(ctx, reserved)
	case wrong || kind == KindUserInactive || kind == KindEmailUnverified:
		e.Outcome = kind.String()
		s.endWrongGuess(ctx, e, reserved)
	default:
		e.Outcome = kind.String()
		s.refund(ctx, reserved)
	}
	s.emit(ActionLogin, p.Issuer, e.Outcome)
	if err == nil {
		clients.Identify(client, session.User.Username)
	}
	return session, adopted && err == nil, err
}

// endWrongGuess records a guess that stays counted, and lets it take some time by chance.
func (s *Service) endWrongGuess(ctx context.Context, e AuditEntry, reserved reservation) {
	began := time.Now()
	s.recordFailure(ctx, e)
	if len(reserved.keys) > 0 {
		s.failureWrites.add(reserved.took + time.Since(began))
	}
	blur(ctx)
}

// throttled returns the error of a login that exceeds a rate limit, after as long as a
// wrong password takes: its hash, and, on a disk that may be slow, the writes that count and
// record it. reserving is how long it took already to find the limit exceeded.
func (s *Service) throttled(ctx context.Context, p Policy, who subject, wait, reserving time.Duration) error {
	if p.TellThrottled {
		return &Error{Kind: KindThrottled, RetryAfter: wait}
	}
	encoded := ""
	if who.account != nil {
		encoded = who.account.PasswordHash
	}
	writing := max(0, s.failureWrites.sample()-reserving)
	if err := s.hasher.SimulateLatency(ctx, who.spelling(), encoded, writing); err != nil {
		return wrapHashError(err)
	}
	blur(ctx)
	return &Error{Kind: KindInvalidCredentials}
}

// maxBlur is the most that a wrong password, and a mail that is asked for, wait beside what they take. Where nothing else is going on, Linux wakes up to the
// millisecond.
const maxBlur = 4 * time.Millisecond

// blur waits for a time by chance. What the store finds of a name takes some microseconds more than that there is none, and
// where hashes are cheap and the machine is idle, they would tell the two apart.
func blur(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(maxBlur)):
	}
}

// durations are how long something took lately.
type durations struct {
	mu     sync.Mutex
	recent recent.Durations
}

func (d *durations) add(took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recent.Add(took)
}

func (d *durations) sample() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.recent.Sample()
}

// maxLoginAttempts is how often a password is checked that changes at the same time. Of
// logins that come at once while a weak hash is replaced, each but the first takes two.
const maxLoginAttempts = 3

// login checks the password, issues a token, and completes the audit entry. The token is
// issued only if the password is still the one that was checked: a change of the password
// takes effect on logins that are under way too.
func (s *Service) login(ctx context.Context, p Policy, e *AuditEntry, who subject, plain string) (session Session, err error) {
	for range maxLoginAttempts {
		attempt := *e
		session, err = s.attemptLogin(ctx, p, &attempt, who, plain)
		if errors.Is(err, ErrPasswordChanged) {
			if who, err = s.findSubject(ctx, p, who.username); err != nil {
				return Session{}, err
			}
			continue
		}
		if err != nil {
			attempt.Token = "" // it was not issued
		}
		*e = attempt
		return session, err
	}
	return Session{}, &Error{Kind: KindUnavailable, Err: ErrPasswordChanged}
}

func (s *Service) attemptLogin(ctx context.Context, p Policy, e *AuditEntry, who subject, plain string) (Session, error) {
	account, err := s.checkPassword(ctx, e, who, plain)
	if err != nil {
		return Session{}, err
	}
	if p.EmailVerification == EmailVerificationMandatory {
		verified, err := s.emailVerified(ctx, account.User)
		if err != nil {
			return Session{}, err
		}
		if !verified {
			return Session{}, &Error{Kind: KindEmailUnverified}
		}
	}
	return s.issue(ctx, p, account.User, account.PasswordHash, nil, e)
}

// issue issues a token, or shows the live one again, and completes the audit entry. Unless
// passwordHash is empty, it has to be the user's encoded password still; by, unless it is empty, a token
// that there still is.
func (s *Service) issue(ctx context.Context, p Policy, u User, passwordHash string, by Digest, e *AuditEntry) (Session, error) {
	now := s.now()
	fresh, key, err := s.mint(p, u.ID, now)
	if err != nil {
		return Session{}, s.wrapSealError("issue token", err)
	}
	fresh.Login, fresh.By = p.UpdateLastLogin, by
	e.Token = TokenID(fresh.Digest)
	if !p.Reuse {
		if err := s.store.IssueToken(ctx, fresh, passwordHash, p.Limit, s.audited(e)); err != nil {
			return Session{}, wrapIssueError(err)
		}
		return Session{User: u, Token: fresh, Key: key}, nil
	}
	token, err := s.store.ReuseToken(ctx, fresh, passwordHash, now, s.audited(e))
	if err != nil {
		return Session{}, wrapIssueError(err)
	}
	if string(token.Digest) != string(fresh.Digest) {
		if key = string(token.Plaintext); key != "" {
			return Session{User: u, Token: token, Key: key}, nil
		}
		if key, err = s.openToken(token); err != nil {
			return Session{}, s.wrapSealError("show token again", err)
		}
	}
	return Session{User: u, Token: token, Key: key}, nil
}

// Issue returns a session of a user who is known by a token of another, as at django-rest-knox's login
// view, which takes what authentication there is. If that token has ended by then, so has the right to
// another: who has all tokens of an account ended must not have to hope that no login is under way (in
// knox, one outlives that). It fails with KindTokenUnknown in that case, with KindTokenLimit, KindUserInactive,
// KindInvalidCredentials if the user is gone, or KindUnavailable.
func (s *Service) Issue(ctx context.Context, p Policy, by Session) (Session, error) {
	u := by.User
	e := s.newEntry(ctx, ActionLogin, p.Issuer)
	e.UserID, e.Username = u.ID, u.Username
	session, err := s.issue(ctx, p, u, "", by.Token.Digest, &e)
	outcome := OK
	if err != nil {
		outcome = KindOf(err).String()
	}
	s.emit(ActionLogin, p.Issuer, outcome)
	return session, err
}

// checkPassword returns the account if plain is its password, and replaces a weak hash.
func (s *Service) checkPassword(ctx context.Context, e *AuditEntry, who subject, plain string) (Account, error) {
	if who.account == nil {
		e.UsernamePseudonym = pseudonym(s.pseudonymKey(), who.username)
		if err := s.hasher.HashDummy(ctx, who.spelling(), plain); err != nil {
			return Account{}, wrapHashError(err)
		}
		return Account{}, &Error{Kind: KindInvalidCredentials}
	}
	account := *who.account
	e.UserID, e.Username = account.ID, account.Username
	ok, rehash, err := s.hasher.Check(ctx, account.Username, account.PasswordHash, plain)
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
		account.PasswordHash = s.rehash(ctx, account, plain)
	}
	return account, nil
}

// rehash replaces a weak hash, and returns the one that the account has then. A failure
// is only logged: the login succeeds without it, and the next one tries again.
func (s *Service) rehash(ctx context.Context, account Account, plain string) string {
	encoded, err := s.hasher.Hash(ctx, plain)
	if err == nil {
		err = s.store.UpdatePassword(ctx, account.ID, account.PasswordHash, encoded, true, nil)
	}
	if err == nil {
		return encoded
	}
	if !errors.Is(err, ErrNotFound) {
		s.log.Warn("password hash stays as it was", "user_id", account.ID, "error", err)
	}
	return account.PasswordHash
}

// wrapHashError turns a hasher's error into the engine's.
func wrapHashError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return wrapStoreError("hash password", err)
}

// wrapIssueError turns a store's error from issuing a token into the engine's. A user who
// was deleted after the password was checked has no credentials.
func wrapIssueError(err error) *Error {
	if errors.Is(err, ErrNotFound) {
		return &Error{Kind: KindInvalidCredentials, Err: err}
	}
	if errors.Is(err, ErrTokenEnded) {
		return &Error{Kind: KindTokenUnknown, Err: err}
	}
	return wrapStoreError("issue token", err)
}
