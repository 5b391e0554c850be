package core

import (
	"context"
	"time"
)

// Backend is an open store with all that it can do. A decorator, such as one that
// measures calls, replaces the fields it decorates; nothing is found by a type assertion.
// Closing the Store closes all of it.
type Backend struct {
	Store
	RateLimiter RateLimiter  // nil: logins are not rate-limited
	Auditor     Auditor      // nil: there is no audit log
	Accounts    AccountStore // nil: nobody sees or changes accounts, or logs in by an address
	Admin       Admin        // nil: operators can't work on users and tokens
	Privacy     PrivacyStore // nil: pseudonyms and dummy hash costs have no key
	Cutover     CutoverStore // nil: nothing can be switched between an old side and a new one
	Callers     CallerStore  // nil: nobody keeps who called
	Mail        MailStore    // nil: no mails are sent

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
