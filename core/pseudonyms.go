package core

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
)

// PrivacyStore keeps what the engine needs so that nobody can find out which usernames
// exist. Errors are those of [Store].
type PrivacyStore interface {
	// PseudonymKey returns the database's key for pseudonyms, of PseudonymKeySize
	// random bytes. The first call of any process stores what fresh returns; all calls
	// return that key from then on.
	PseudonymKey(ctx context.Context, fresh func() ([]byte, error)) ([]byte, error)

	// PasswordFormatCounts counts the accounts by the parameters of their encoded
	// passwords. It may be slow.
	PasswordFormatCounts(ctx context.Context) ([]PasswordFormatCount, error)
}

// PseudonymKeySize is the length of a pseudonym key in bytes.
const PseudonymKeySize = 32

// PasswordFormatCount is a number of accounts whose passwords cost the same to check.
type PasswordFormatCount struct {
	Example  string // the encoded password of one of them
	Accounts int
}

// KeyedDigest returns HMAC-SHA256 of a text, which nobody can compute without the key.
// The label separates the digests of different uses.
func KeyedDigest(key []byte, label, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	mac.Write([]byte{0})
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
