package core

import (
	"context"
	"time"
)

// Admin is what an operator needs beside [Store]. Errors are those of Store; a
// method that changes something adds the entry of its context as those of Store
// do (see [Auditor]).
type Admin interface {
	// Users gives at most limit users that match, by id.
	Users(ctx context.Context, f UserFilter, limit int) ([]User, error)

	// SetActive says whether the user may log in and use tokens. ErrNotFound if
	// there is none.
	SetActive(ctx context.Context, userID int64, active bool) error

	// DeleteUser removes the user with all tokens. ErrNotFound if there is none.
	DeleteUser(ctx context.Context, userID int64) error

	// Tokens gives at most limit tokens that match, live and expired, by digest.
	Tokens(ctx context.Context, f TokenFilter, limit int) ([]Token, error)

	// CountTokens counts the tokens that are live at now. It may be slow.
	CountTokens(ctx context.Context, now time.Time) (live int64, err error)

	// PurgeTokens removes at most limit tokens that ended before a moment, those
	// of the issuers, or of all where none is given, and gives their number.
	PurgeTokens(ctx context.Context, before time.Time, issuers []string, limit int) (int, error)

	// SealKeys counts the sealed tokens by their key's id.
	SealKeys(ctx context.Context) (map[string]int64, error)

	// SealedTokens gives at most limit tokens that are sealed with the key and
	// whose digests are above after, by digest.
	SealedTokens(ctx context.Context, key string, after Digest, limit int) ([]Token, error)

	// Reseal puts the Sealed and SealKey of each token into its row, where that
	// still has the key that was; others stay as they are.
	Reseal(ctx context.Context, was string, tokens []Token) error
}

// UserFilter says which users are wanted; zero fields match all.
type UserFilter struct {
	After    int64 // those with a larger ID
	Inactive bool  // inactive ones alone
}

// TokenFilter says which tokens are wanted; zero fields match all.
type TokenFilter struct {
	UserID int64
	After  Digest // those with a larger digest
	Prefix Digest // those whose digest begins so
}
