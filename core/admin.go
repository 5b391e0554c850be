package core

import (
	"context"
	"time"
)

// Admin is what operators need besides [Store]. Errors are those of Store, and audit
// entries are appended as there.
type Admin interface {
	// Users returns at most limit matching users, by id.
	Users(ctx context.Context, f UserFilter, limit int) ([]User, error)

	// SetActive allows or forbids a user to log in and use tokens. ErrNotFound if there is
	// none.
	SetActive(ctx context.Context, userID int64, active bool, audit *AuditEntry) error

	// DeleteUser removes the user and all their tokens. ErrNotFound if there is none.
	DeleteUser(ctx context.Context, userID int64, audit *AuditEntry) error

	// Tokens returns at most limit matching tokens, live and expired, by digest.
	Tokens(ctx context.Context, f TokenFilter, limit int) ([]Token, error)

	// CountTokens counts the tokens that are live at now. It may be slow.
	CountTokens(ctx context.Context, now time.Time) (live int64, err error)

	// PurgeTokens removes at most limit tokens that expired before a time, those of the
	// issuers or, if none is given, of all, and returns their number.
	PurgeTokens(ctx context.Context, before time.Time, issuers []string, limit int) (int, error)

	// RevokeTokens removes tokens of all users and realms that were created before a time,
	// or all if before is zero: those among the next limit digests above after. It returns
	// the number of removed tokens, and the last of these digests; empty: there are no more.
	RevokeTokens(ctx context.Context, before time.Time, after Digest, limit int, audit *AuditEntry) (n int, last Digest, err error)

	// SealKeys counts the sealed tokens by the id of their key.
	SealKeys(ctx context.Context) (map[string]int64, error)

	// SealedTokens returns at most limit tokens that are sealed with the key and whose
	// digests are above after, by digest.
	SealedTokens(ctx context.Context, key string, after Digest, limit int) ([]Token, error)

	// Reseal stores Sealed and SealKey of each token, if its row still has the key was.
	Reseal(ctx context.Context, was string, tokens []Token) error
}

// UserFilter selects users; zero fields match all.
type UserFilter struct {
	After    int64 // those with a larger ID
	Inactive bool  // inactive ones alone
}

// TokenFilter selects tokens; zero fields match all.
type TokenFilter struct {
	UserID int64
	After  Digest // those with a larger digest
	Prefix Digest // those whose digest begins so
}
