package core

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says why the engine refused. The set is closed: a dialect maps each kind
// to a status and a sentence of its own, and one kind may have many renderings.
type Kind int

// The kinds of failure.
const (
	// KindInternal is a defect or a broken row: nothing the client sent.
	KindInternal Kind = iota
	// KindInvalidCredentials is an unknown username, a wrong password or a user
	// whose password can't be used. Which of them is never told.
	KindInvalidCredentials
	// KindUserInactive is the right password, or a live token, of a user who is
	// not active.
	KindUserInactive
	// KindEmailUnverified is the right password of a user who has yet to verify the address.
	KindEmailUnverified
	// KindTokenUnknown is a token that was never issued, was logged out, or
	// belongs to another realm.
	KindTokenUnknown
	// KindTokenExpired is a token whose time is over and whose row is still kept.
	KindTokenExpired
	// KindUsernameTaken is a registration under a name that another user has.
	KindUsernameTaken
	// KindEmailTaken is an address that another user has, where they are distinct.
	KindEmailTaken
	// KindTokenLimit is a login of a user who has as many live tokens as the policy allows.
	KindTokenLimit
	// KindUserUnknown is a look-up of a user who does not exist.
	KindUserUnknown
	// KindInvalidUser is a registration that no store could hold, or that this one
	// can't: an empty username, a text that is too long, or none.
	KindInvalidUser
	// KindUnsupported is what this store's tables do not allow, such as to delete a user to whom
	// rows of an application refer. The log says what.
	KindUnsupported
	// KindUnavailable is a store that can't answer now, or a token that can't be
	// shown because its sealing key is missing. The request may be tried again.
	KindUnavailable
	// KindOverloaded is a request for which there is no room now: too many
	// passwords wait to be hashed, or large bodies take all the memory that they
	// may. It may be tried again.
	KindOverloaded
	// KindThrottled is a login refused unread because of too many failures
	// before it. The request may be tried again.
	KindThrottled
	// KindCanceled is a request that was given up because its client has gone: as
	// a rule nobody hears the answer. It is nobody's fault.
	KindCanceled

	kindCount int = iota // how many there are
)

// Kinds gives every kind of failure, so that a dialect can check that it has an
// answer to each.
func Kinds() []Kind {
	kinds := make([]Kind, kindCount)
	for i := range kinds {
		kinds[i] = Kind(i)
	}
	return kinds
}

// String gives the kind's name as logs and metrics spell it.
func (k Kind) String() string {
	switch k {
	case KindInvalidCredentials:
		return "invalid_credentials"
	case KindUserInactive:
		return "user_inactive"
	case KindEmailUnverified:
		return "email_unverified"
	case KindTokenUnknown:
		return "token_unknown"
	case KindTokenExpired:
		return "token_expired"
	case KindUsernameTaken:
		return "username_taken"
	case KindEmailTaken:
		return "email_taken"
	case KindUnsupported:
		return "unsupported"
	case KindTokenLimit:
		return "token_limit"
	case KindUserUnknown:
		return "user_unknown"
	case KindInvalidUser:
		return "invalid_user"
	case KindUnavailable:
		return "unavailable"
	case KindOverloaded:
		return "overloaded"
	case KindThrottled:
		return "throttled"
	case KindCanceled:
		return "canceled"
	default:
		return "internal"
	}
}

// Error is what every [Service] method fails with.
type Error struct {
	Kind Kind
	// RetryAfter is when a try may help, where that is known.
	RetryAfter time.Duration
	// Err is the cause, for the log. It is never sent to a client and never
	// holds a password, a token or a hash.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Kind.String()
	}
	return e.Kind.String() + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of err: that of the *Error in its chain, else
// KindInternal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}

// RetryAfter gives when a try may help after err; 0 where nobody knows.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// What a [Store] answers with when a call can't be done. Each may be wrapped.
var (
	// ErrNotFound is a row that is not there.
	ErrNotFound = errors.New("not found")
	// ErrUsernameTaken is a username that another user has.
	ErrUsernameTaken = errors.New("username taken")
	// ErrInvalidUser is a user whom the store's tables can't hold.
	ErrInvalidUser = errors.New("invalid user")
	// ErrUserInactive is a user who may not have a token.
	ErrUserInactive = errors.New("user inactive")
	// ErrPasswordChanged is an encoded password that the user does not have any more.
	ErrPasswordChanged = errors.New("password changed")
	// ErrTokenEnded is a token by which another was to be issued, and that has ended.
	ErrTokenEnded = errors.New("token ended")
	// ErrEmailTaken is an address that another user has.
	ErrEmailTaken = errors.New("e-mail address taken")
	// ErrUnsupported is what the tables of this store do not allow.
	ErrUnsupported = errors.New("not possible in these tables")
	// ErrTokenLimit is a user who has as many live tokens as there may be.
	ErrTokenLimit = errors.New("too many live tokens")
	// ErrConflict is a version that somebody else has changed since it was read.
	ErrConflict = errors.New("changed meanwhile by somebody else")
	// ErrUnavailable is a database that can't be reached, is locked by others
	// for too long, is full, read-only or damaged, or has lost the connection.
	ErrUnavailable = errors.New("store unavailable")
)

// wrapStoreError turns a store's error into the engine's.
func wrapStoreError(doing string, err error) *Error {
	kind := KindInternal
	switch {
	case errors.Is(err, ErrUsernameTaken):
		kind = KindUsernameTaken
	case errors.Is(err, ErrInvalidUser):
		kind = KindInvalidUser
	case errors.Is(err, ErrEmailTaken):
		kind = KindEmailTaken
	case errors.Is(err, ErrUnsupported):
		kind = KindUnsupported
	case errors.Is(err, ErrTokenLimit):
		kind = KindTokenLimit
	case errors.Is(err, ErrUserInactive):
		kind = KindUserInactive
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		kind = KindUnavailable
	case errors.Is(err, context.Canceled):
		kind = KindCanceled
	}
	return &Error{Kind: kind, Err: fmt.Errorf("%s: %w", doing, err)}
}

// wrapUserError turns a store's error about the row of one user into the engine's.
func wrapUserError(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return &Error{Kind: KindUserUnknown, Err: err}
	}
	return wrapStoreError(doing, err)
}
