package core

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/core/spelling"
)

// Referee is another server, which knows users and passwords that the store does not have.
// It is safe for concurrent use.
type Referee interface {
	// Ask asks once whether plain is the password of the user with this name, and returns
	// whose it is there. took is how long the server needed, without what the question waited
	// before; 0: nobody was asked. It fails with an [*Error]: of KindInvalidCredentials if the server
	// says no, and of KindUnavailable, KindOverloaded or KindCanceled if it says nothing.
	Ask(ctx context.Context, username, plain string) (v Vouched, took time.Duration, err error)
}

// Vouched is a user as a [Referee] shows it.
type Vouched struct {
	Username   string
	Email      string            // empty: it shows none
	Attributes map[string]string // those that it shows
}

// AdoptedFrom is the attribute that tells of a user through which profile a [Referee] decides
// about the password. Of others it does not: whoever could take their names at the other
// server would get their accounts here.
const AdoptedFrom = "adopted_from"

// questionTime returns how long the referee takes to say no, as a wrong password waits for it;
// 0 without one.
func (s *Service) questionTime(r Referee) time.Duration {
	if r == nil {
		return 0
	}
	return s.questions.sample()
}

// adopt asks the referee about a name and a password that are not good here, and keeps them
// if it vouches. adopted tells whether it does, also with an error. What is asked, kept and
// looked up by the next login is one and the same name, unless the referee shows another.
func (s *Service) adopt(ctx context.Context, p Policy, who subject, plain string, r Referee) (session Session, adopted bool, err error) {
	refused, err := s.refusedSpelling(ctx, who.username)
	if err != nil {
		return Session{}, false, err
	}
	if !askable(p, who, plain) || who.account == nil && refused {
		// Nor does the time tell who is known here, or disabled.
		if err := pause(ctx, s.questions.sample()); err != nil {
			return Session{}, false, wrapStoreError("wait as for a referee", err)
		}
		return Session{}, false, &Error{Kind: KindInvalidCredentials}
	}
	found, took, err := r.Ask(ctx, who.username, plain)
	if err != nil {
		// What takes longer because the client has sent more must not hold up others.
		if KindOf(err) == KindInvalidCredentials && len(who.username)+len(plain) <= ordinaryQuestion {
			s.questions.add(took)
		}
		return Session{}, false, err
	}
	user, err := s.keep(ctx, p, who, found, plain)
	return Session{User: user}, err == nil || KindOf(err) != KindInvalidCredentials, err
}

// ordinaryQuestion is how many bytes a name and a password have together whose question tells
// how long others take, and maxAsked how many at most are asked about.
const (
	ordinaryQuestion = 256
	maxAsked         = 4096
)

// refusedSpelling reports whether another server may take a username for that of a user who is
// disabled here, or has no password. It does the same for one that has an account. It fails with
// KindUnavailable or KindCanceled.
func (s *Service) refusedSpelling(ctx context.Context, username string) (refused bool, err error) {
	for _, name := range spelling.Variants(username) {
		account, err := s.accountIfAny(ctx, name)
		if err != nil {
			return false, err
		}
		refused = refused || account != nil && (!account.Active || hasNoPassword(*account))
	}
	return refused, nil
}

// Disabled reports whether a user is disabled whom another server may call by this username: who
// has it, or it without white space around it, in NFKC, or in lower case. It fails with
// KindUnavailable or KindCanceled.
func (s *Service) Disabled(ctx context.Context, username string) (bool, error) {
	for _, name := range spelling.Variants(username) {
		if account, err := s.accountIfAny(ctx, name); err != nil || account != nil && !account.Active {
			return err == nil, err
		}
	}
	return false, nil
}

// hasNoPassword reports whether an operator has left a user without a password.
func hasNoPassword(a Account) bool {
	_, err := password.CostOf(a.PasswordHash)
	return errors.Is(err, password.ErrUnusable)
}

// askable reports whether a referee may decide about a login: not about users whom it has not
// vouched for before. What can't be kept is not asked for.
func askable(p Policy, who subject, plain string) bool {
	if len(who.username)+len(plain) > maxAsked {
		return false
	}
	if who.account != nil {
		return replaceable(p, *who.account) && utf8.ValidString(plain)
	}
	return keepable(who.username) && utf8.ValidString(plain)
}

// replaceable reports whether a referee may replace the password of a user. Whom an operator has
// disabled, or left without a password, does not come back through it.
func replaceable(p Policy, a Account) bool {
	return a.Active && a.Attributes[AdoptedFrom] == p.Issuer && !hasNoPassword(a)
}

func keepable(username string) bool {
	return Storable(username) && utf8.RuneCountInString(username) <= MaxUsername
}

// errUnkeepable is a name of a referee that no store can hold.
var errUnkeepable = errors.New("keep user: the other server shows a username that can't be kept")

// keep makes the user whom a referee has vouched for, or replaces the password, unless another
// login has done so meanwhile.
func (s *Service) keep(ctx context.Context, p Policy, who subject, found Vouched, plain string) (User, error) {
	if !keepable(found.Username) {
		return User{}, &Error{Kind: KindUnavailable, Err: errUnkeepable}
	}
	e := s.newEntry(ctx, ActionAdopt, p.Issuer)
	e.Username = found.Username
	for range maxLoginAttempts {
		account, err := s.accountIfAny(ctx, found.Username)
		switch {
		case err != nil:
			return User{}, err
		case account != nil && !replaceable(p, *account):
			return User{}, &Error{Kind: KindInvalidCredentials}
		case account == nil:
			if refused, err := s.refusedSpelling(ctx, found.Username); err != nil {
				return User{}, err
			} else if refused {
				return User{}, &Error{Kind: KindInvalidCredentials}
			}
		}
		user, outcome, err := s.keepAs(ctx, p, &e, who, account, found, plain)
		if err == nil {
			s.emit(ActionAdopt, p.Issuer, outcome)
		}
		if !errors.Is(err, ErrUsernameTaken) && !errors.Is(err, ErrNotFound) { // or another login was quicker
			return user, err
		}
	}
	return User{}, &Error{Kind: KindUnavailable, Err: ErrPasswordChanged}
}

// keepAs is one try of keep. account is the one with the name now; nil: there is none.
func (s *Service) keepAs(ctx context.Context, p Policy, e *AuditEntry, who subject, account *Account, found Vouched, plain string) (user User, outcome string, err error) {
	ctx, leave, err := s.hasher.Acquire(ctx, len(plain))
	if err != nil {
		return User{}, "", wrapHashError(err)
	}
	defer leave()
	if account != nil {
		e.UserID = account.ID
		if who.account == nil || who.account.PasswordHash != account.PasswordHash { // it was not this one that did not match
			ok, _, err := s.hasher.Check(ctx, account.Username, account.PasswordHash, plain)
			if err != nil {
				return User{}, "", wrapHashError(err)
			}
			if ok {
				return account.User, "kept", s.recordAdopted(ctx, *e)
			}
		}
	}
	encoded, err := s.hasher.Hash(ctx, plain)
	if err != nil {
		return User{}, "", wrapHashError(err)
	}
	if account == nil {
		u := s.newcomer(p, found, encoded)
		user, err = s.store.CreateUser(ctx, u, nil, s.audited(e))
		if errors.Is(err, ErrEmailTaken) { // where an API has addresses distinct, nobody gets another's
			u.Email, u.KeepAddress = "", false
			user, err = s.store.CreateUser(ctx, u, nil, s.audited(e))
		}
		if err != nil {
			return User{}, "", wrapStoreError("keep user", err)
		}
		return user, "created", nil
	}
	if err := s.store.UpdatePassword(ctx, account.ID, account.PasswordHash, encoded, false, s.audited(e)); err != nil {
		return User{}, "", wrapStoreError("keep password", err)
	}
	return account.User, "replaced", nil
}

// recordAdopted records an adoption that changes nothing.
func (s *Service) recordAdopted(ctx context.Context, e AuditEntry) error {
	if s.audit == nil {
		return nil
	}
	if err := s.audit.Record(ctx, e); err != nil {
		return wrapStoreError("record adoption", err)
	}
	return nil
}

// newcomer is the user whom a referee shows. What of it can't be kept is left out.
func (s *Service) newcomer(p Policy, found Vouched, encoded string) NewUser {
	u := NewUser{Username: found.Username, PasswordHash: encoded, CreatedAt: s.now(), Attributes: make(map[string]string), Distinct: Distinct{Email: s.distinct(p).Email}}
	if Storable(found.Email) && utf8.RuneCountInString(found.Email) <= MaxEmail {
		u.Email = found.Email
	}
	for name, value := range found.Attributes {
		if Storable(value) {
			u.Attributes[name] = value
		}
	}
	u.Attributes[AdoptedFrom] = p.Issuer
	if p.EmailVerification == EmailVerificationMandatory { // without which the old server would have refused the login
		u.KeepAddress, u.AddressVerified = true, true
	}
	if p.NormalizeEmail {
		u.Email = normalizeEmail(u.Email)
	}
	if p.EmailIsUsername {
		u.Email = u.Username
	}
	return u
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
