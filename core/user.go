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
	// …), as text. What has another type in an API is written as "true" or "false", as digits
	// with a sign at most, or as a date YYYY-MM-DD; an absent attribute is null. The types are
	// the profile's: a store knows none.
	//
	// In Django's tables, an attribute that has a column is written as a value of its type
	// (ErrInvalidUser if it is none), and read as the database writes that as text: a boolean
	// is "1" or "0" in SQLite, "true" or "false" in PostgreSQL (see ParseBoolean). There an
	// empty text can't be told from an absent one, and reads as such.
	Attributes map[string]string
	CreatedAt  time.Time // UTC, microseconds
}

// Account is a user with the encoded password, for the engine and its stores.
type Account struct {
	User
	PasswordHash string // in Django's encoding, see package password
	// LastLogin is when a login last issued a token with Token.Login set, or, on Django's tables, that
	// server's last_login. The zero time means never, or that it was not asked for.
	LastLogin time.Time
}

// NewUser is what a store needs to create a user.
type NewUser struct {
	Username     string
	Email        string
	PasswordHash string
	Inactive     bool
	Attributes   map[string]string
	CreatedAt    time.Time
	Distinct     Distinct
	// KeepAddress adds Email, unless it is empty, to the addresses that users verify.
	KeepAddress bool
	// AddressVerified says that it is verified already.
	AddressVerified bool
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

// Spelling returns the one text for all that the store and the policy take for a username, or
// for what the policy's users log in by: the username of the account, or, if known is false, that of FoldUsername. It does
// the same for both. The text is empty if no store can hold the username. It fails with
// KindUnavailable or KindCanceled.
func (s *Service) Spelling(ctx context.Context, p Policy, username string) (spelling string, known bool, err error) {
	username = lookup(username)
	if !Storable(username) {
		return "", false, nil
	}
	who, err := s.findSubject(ctx, p, username)
	if err != nil {
		return "", false, err
	}
	if who.account != nil {
		return who.account.Username, true, nil
	}
	return who.spelling(), false, nil
}

// ParseBoolean reads an attribute that is a boolean, in any form that a store has; ok is false
// if it is none.
func ParseBoolean(text string) (value, ok bool) {
	switch text {
	case "true", "t", "1":
		return true, true
	case "false", "f", "0":
		return false, true
	}
	return false, false
}
