package core

import (
	"context"
	"time"

	"github.com/authcompat/authcompat/core/callers"
)

// Store keeps users and tokens. Each method is one atomic step: it is done completely and
// durably before it returns nil, or not at all. Concurrent steps behave as one after the
// other, also from several processes on one database. Stores never read a clock.
//
// Any method may fail with [ErrUnavailable], wrapped, when the database can't answer, and
// with the context's error when that has ended or ends while the method waits, and then
// does nothing. Otherwise it fails only with the errors it names. Times have a precision
// of microseconds, in UTC.
//
// A method that takes an audit entry appends it in the same step, if it is not nil: the
// log has an entry exactly for what was done.
type Store interface {
	// CreateUser adds a user and, if mint is not nil, the token that mint returns for the
	// user (mint may be called more than once, and other writers wait meanwhile; an
	// inactive user gets the token too). It fails with ErrUsernameTaken, by exact
	// comparison of names or as Distinct says, with ErrEmailTaken, with ErrInvalidUser if the tables can't hold the user's texts, or
	// with the error of mint; then neither is added. It sets the UserID of audit.
	CreateUser(ctx context.Context, u NewUser, mint func(User) (Token, error), audit *AuditEntry) (User, error)

	// Account returns the account with exactly this username, or ErrNotFound.
	Account(ctx context.Context, username string) (Account, error)

	// IssueToken adds a token. It fails with ErrNotFound if there is no such user, with
	// ErrPasswordChanged if passwordHash is not empty and the user's encoded password is
	// another, with ErrUserInactive if the user is inactive, with ErrTokenEnded if t is issued by a
	// token (Token.By) that is gone (a call of DeleteUserTokens ends that one and t, or neither is
	// issued by then), and with ErrTokenLimit if limit
	// is not 0 and as many tokens of the user in the realm, or more, expire after t was
	// created. Those that never expire are not counted. Calls with a limit come one after the
	// other for a user; a server that works on the same tables may issue one meanwhile.
	IssueToken(ctx context.Context, t Token, passwordHash string, limit int, audit *AuditEntry) error

	// ReuseToken returns the reusable token of fresh's user, realm and issuer that is live
	// at now, with its ExpiresAt extended to that of fresh if fresh is sliding. If there
	// is none, fresh is added and returned. An expired one is no longer reusable, and
	// stays. It sets the Token of audit if it returns another than fresh. Errors as
	// IssueToken.
	ReuseToken(ctx context.Context, fresh Token, passwordHash string, now time.Time, audit *AuditEntry) (Token, error)

	// FindToken returns the token that p presents in the realm, live or expired, and its
	// user, active or not; or ErrNotFound. A token whose deletion was acknowledged before
	// the call began is never found.
	FindToken(ctx context.Context, realm string, p Presented) (Token, User, error)

	// ExtendExpiry sets ExpiresAt of a token that is live at now to a later time. It does
	// nothing if the token is gone, has expired at now, never expires, or expires later
	// already.
	ExtendExpiry(ctx context.Context, d Digest, to, now time.Time) error

	// DeleteToken removes a token. ErrNotFound if there is none.
	DeleteToken(ctx context.Context, d Digest, audit *AuditEntry) error

	// DeleteUserTokens removes all tokens of the user in the realm and returns their
	// number.
	DeleteUserTokens(ctx context.Context, userID int64, realm string, audit *AuditEntry) (int, error)

	// TrimTokens removes most tokens of the user in the realm, or with an empty one in all, if there are more than that, and
	// returns how many it has removed: 0 if there are no more. Whoever removes all of them calls it before, until there are not: a user may
	// have more tokens than the store can remove at once in the time it has, during which others would wait.
	TrimTokens(ctx context.Context, userID int64, realm string, most int) (n int, err error)

	// UpdatePassword replaces the user's encoded password if it is still old; ErrNotFound
	// if it is not, or the user is gone. rehash says that encoded is of the same password,
	// which imports do not take for a change.
	UpdatePassword(ctx context.Context, userID int64, old, encoded string, rehash bool, audit *AuditEntry) error

	// Ping returns nil if the store can answer now.
	Ping(ctx context.Context) error

	// Close releases the resources of the store, which must not be used after it.
	Close() error
}

// TokenCache is a [Store] that has tokens in memory.
type TokenCache interface {
	// CachedToken is FindToken for a token that is in memory. If ok is false, FindToken has to be asked.
	CachedToken(realm string, p Presented) (t Token, u User, ok bool)
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
	// CheckUser returns ErrInvalidUser if the tables have no room for the user, so that no
	// password is hashed for it; its PasswordHash is not looked at.
	CheckUser(u NewUser) error
}

// TokenReader is a store that tells which tokens a user has, for whoever wants to know what
// IssueToken and ReuseToken would do, and does not want it done.
type TokenReader interface {
	// UserTokens returns the tokens of the user in all realms, live and expired, in any order.
	// anyIssuer says that ReuseToken shows a live one of these whoever issued it, and adds
	// another only where there is none. Errors are those of [Store].
	UserTokens(ctx context.Context, userID int64) (tokens []Token, anyIssuer bool, err error)
}

// Clock returns the current time. The engine truncates it to microseconds and UTC.
type Clock func() time.Time

// ExpiryBatcher is a store that extends the expiry of several tokens in one step.
type ExpiryBatcher interface {
	// ExtendExpiries does what ExtendExpiry does for each of the updates, in one step.
	ExtendExpiries(ctx context.Context, updates []ExpiryUpdate, now time.Time) error
}

// ExpiryUpdate is the later expiry of a token.
type ExpiryUpdate struct {
	Digest Digest
	To     time.Time
}

// Backend is an open store with all that it can do. A decorator, such as one that
// measures calls, replaces the fields it decorates; nothing is found by a type assertion.
// Closing the Store closes all of it.
type Backend struct {
	Store
	RateLimiter RateLimiter   // nil: logins are not rate-limited
	Auditor     Auditor       // nil: there is no audit log
	Accounts    AccountStore  // nil: nobody sees or changes accounts, or logs in by an address
	Admin       Admin         // nil: operators can't work on users and tokens
	Privacy     PrivacyStore  // nil: pseudonyms and dummy hash costs have no key
	Cutover     CutoverStore  // nil: nothing can be switched between an old side and a new one
	Callers     callers.Store // nil: nobody keeps who called
	Mail        MailStore     // nil: no mails are sent
	Addresses   AddressStore  // nil: nobody verifies an address
	Tokens      TokenReader   // nil: nobody can tell what a login would issue

	// Writers is how many writes the store works on at a time, beyond which they wait for each
	// other: those of clients wait in turns of their networks instead. 0: any number.
	Writers int

	// FoldUsername returns the same text for two usernames if the store takes them for one,
	// and different texts otherwise, whether an account has them or not: by another relation
	// than the store's own, the spellings of a name would tell whether it exists. Errors are
	// those of [Store]. nil: each is a username of its own.
	FoldUsername func(ctx context.Context, username string) (string, error)

	Warner Warner // nil: nothing is known of the database's settings

	// DatabaseClock is the clock of the database's machine; nil: it is that of this machine.
	DatabaseClock DatabaseClock

	// ExpiryBatcher extends the expiry of many tokens at once; nil: one by one.
	ExpiryBatcher ExpiryBatcher

	// Plaintext is the store, if it works on the tables of another server; else nil.
	Plaintext PlaintextStore
}

// Warner knows what of a database's settings puts a store's promises at risk.
type Warner interface {
	// Warnings returns what an operator should change, or know, one sentence each, without
	// secrets. Errors are those of [Store].
	Warnings(ctx context.Context) ([]string, error)
}

// DatabaseClock is a clock that all nodes on a database share.
type DatabaseClock interface {
	// DatabaseTime returns the database's time now, in UTC, with a precision of
	// microseconds. Errors are those of [Store].
	DatabaseTime(ctx context.Context) (time.Time, error)
}
