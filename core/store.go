package core

import (
	"context"
	"time"
)

// Store keeps users and tokens. Each method is one atomic step: it is done
// whole and durably before it returns nil, or not at all. Two steps at once
// behave as one after the other, also from two processes on one database.
// Stores never read a clock.
//
// Any method may fail with [ErrUnavailable], wrapped, when the database can't
// answer, and with the context's error when it has ended, or ends while waiting,
// and then does nothing; otherwise only with the errors it names. Times are kept to the microsecond, in UTC.
type Store interface {
	// CreateUser adds a user and, if mint is not nil, the token that mint gives
	// for the user as added (mint may be called more than once, and other
	// writers wait while it runs; an inactive user gets the token too). It fails
	// with ErrUsernameTaken, by exact comparison of names, or with mint's error; then
	// neither is added.
	CreateUser(ctx context.Context, u NewUser, mint func(User) (Token, error)) (User, error)

	// Account finds a user by exact username, or ErrNotFound.
	Account(ctx context.Context, username string) (Account, error)

	// IssueToken adds a token. ErrUserInactive if its user is inactive,
	// ErrNotFound if there is none.
	IssueToken(ctx context.Context, t Token) error

	// ReuseToken gives the reusable token of fresh's user, realm and issuer
	// that is live at now, its ExpiresAt moved to fresh's where that is later
	// and fresh slides; if there is none, fresh is added and given. An expired
	// one stops being reusable and stays. Errors as IssueToken.
	ReuseToken(ctx context.Context, fresh Token, now time.Time) (Token, error)

	// FindToken finds the token that p presents in the realm, live or expired,
	// and its user, active or not; or ErrNotFound. A token whose deletion was
	// acknowledged before the call began is never found.
	FindToken(ctx context.Context, realm string, p Presented) (Token, User, error)

	// ExtendExpiry sets ExpiresAt of a token that is live at now to a later time.
	// It does nothing where the token is gone, is over at now, never expires,
	// or already ends later: a late call brings nothing back.
	ExtendExpiry(ctx context.Context, d Digest, to, now time.Time) error

	// DeleteToken removes a token for good. ErrNotFound if it was gone.
	DeleteToken(ctx context.Context, d Digest) error

	// DeleteUserTokens removes all tokens of the user in the realm and gives
	// their number.
	DeleteUserTokens(ctx context.Context, userID int64, realm string) (int, error)

	// UpdatePassword replaces the user's encoded password if it still is old;
	// ErrNotFound if the user is gone or has another one by now. rehash tells that
	// encoded is of the same password: to imports that is no change.
	UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool) error

	// Ping tells whether the store can answer now.
	Ping(ctx context.Context) error

	// Close gives back what the store holds. Nothing may be called after it.
	Close() error
}

// PlaintextStore is a Store that works on the tables of an older server. It needs the
// Plaintext of the tokens that are issued, because it keeps them in that server's form.
type PlaintextStore interface {
	Store
	// KeepsPlaintext reports whether the tables keep the text itself, so that tokens
	// can be shown again without being sealed.
	KeepsPlaintext() bool
	// Caveats lists what the tables can't hold, each in one sentence for operators.
	Caveats() []string
	// CheckPolicy returns an error that says why the tables can't hold tokens of the
	// policy, or nil if they can.
	CheckPolicy(p Policy) error
}

// Clock tells the time. The engine cuts it to microseconds and UTC.
type Clock func() time.Time
