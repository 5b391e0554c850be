package core

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// User is an account as dialects see it. It never contains the password hash.
type User struct {
	ID       int64
	Username string
	Email    string // empty when none was given
	Active   bool
	// Attributes are further data of the user that some APIs show (first_name, followers,
	// …), as text.
	Attributes map[string]string
	CreatedAt  time.Time // UTC, microseconds
}

// Account is a user with the encoded password, for the engine and its stores.
type Account struct {
	User
	PasswordHash string // in Django's encoding, see package password
}

// NewUser is what a store needs to create a user.
type NewUser struct {
	Username     string
	Email        string
	PasswordHash string
	Inactive     bool
	Attributes   map[string]string
	CreatedAt    time.Time
}

// Storable reports whether any store can hold a username: text of SQL is valid UTF-8
// without NUL. What an API allows beyond that is a matter of its dialect.
func Storable(username string) bool {
	return username != "" && utf8.ValidString(username) && !strings.ContainsRune(username, 0)
}

// maxLookup is the longest username that is looked up, in bytes. The engine's own stores have
// none that is half as long (MaxUsername); a database could take seconds to fold one of a
// megabyte.
const maxLookup = 4096

// lookup returns what a username is looked up and counted by: itself or, where it is too long for
// anybody's, a digest of it that no store can hold.
func lookup(username string) string {
	if len(username) <= maxLookup {
		return username
	}
	digest := sha256.Sum256([]byte(username))
	return "\xff" + string(digest[:])
}

// User returns the user with exactly this username, or fails with KindUserUnknown or
// KindUnavailable.
func (s *Service) User(ctx context.Context, username string) (User, error) {
	account, err := s.account(ctx, username)
	if errors.Is(err, ErrNotFound) {
		return User{}, &Error{Kind: KindUserUnknown}
	}
	if err != nil {
		return User{}, wrapStoreError("find user", err)
	}
	return account.User, nil
}

// Spelling returns the one text for all usernames that the store takes for this one: the
// username of the account that has it, or, if known is false, that of FoldUsername. It does
// the same for both. The text is empty if no store can hold the username. It fails with
// KindUnavailable or KindCanceled.
func (s *Service) Spelling(ctx context.Context, username string) (spelling string, known bool, err error) {
	username = lookup(username)
	if !Storable(username) {
		return "", false, nil
	}
	who, err := s.findSubject(ctx, username)
	if err != nil {
		return "", false, err
	}
	return who.spelling(), who.account != nil, nil
}
