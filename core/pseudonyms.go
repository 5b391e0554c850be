package core

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// PrivacyStore keeps what the engine needs so that nobody can find out which usernames
// exist. Errors are those of [Store].
type PrivacyStore interface {
	// DatabaseKey returns the database's own key, of DatabaseKeySize random bytes, for
	// digests of what the database holds anyway. The first call of any process stores what
	// fresh returns; all calls return that key from then on.
	DatabaseKey(ctx context.Context, fresh func() ([]byte, error)) ([]byte, error)

	// PasswordFormatCounts counts the accounts by the parameters of their encoded
	// passwords. It may be slow.
	PasswordFormatCounts(ctx context.Context) ([]PasswordFormatCount, error)
}

// DatabaseKeySize is the length of a database's key in bytes.
const DatabaseKeySize = 32

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

// pseudonymKeys returns the keys for digests of names that nobody has, which may be
// passwords: whoever has a copy of the database must not be able to try words. They are
// derived from the sealing keys, the oldest last, which is the one in use, so that a
// rotation changes no digest until its old keys are removed. Without sealing keys, it is a
// key that this process has drawn and never writes.
func (s *Service) pseudonymKeys() [][]byte {
	sealer := s.currentSealer()
	if len(sealer.ring) == 0 {
		return [][]byte{s.processKey}
	}
	keys := make([][]byte, len(sealer.ring))
	for i, k := range sealer.ring {
		keys[i] = KeyedDigest(k.pseudonyms, "database", string(s.databaseKey))
	}
	return keys
}

// pseudonymKey is the one of the pseudonymKeys that is in use.
func (s *Service) pseudonymKey() []byte {
	keys := s.pseudonymKeys()
	return keys[len(keys)-1]
}

// pseudonym returns what stands for a username that nobody has in the audit log.
func pseudonym(key []byte, username string) string {
	return hex.EncodeToString(KeyedDigest(key, "unknown", username)[:tokenIDSize])
}

// Pseudonyms returns what may stand in the audit log for a username that nobody has: one for
// each sealing key. Without a sealing key, it is none that other processes have used.
func (s *Service) Pseudonyms(username string) []string {
	keys := s.pseudonymKeys()
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = pseudonym(key, username)
	}
	return all
}
