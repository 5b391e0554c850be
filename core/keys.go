package core

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core/sealing"
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

// pseudonymKeys returns the keys for digests of names that nobody has, which may be
// passwords: whoever has a copy of the database must not be able to try words. They are
// derived from the sealing keys, the oldest last, which is the one in use, so that a
// rotation changes no digest until its old keys are removed. Without sealing keys, it is a
// key that this process has drawn and never writes.
func (s *Service) pseudonymKeys() [][]byte {
	keys := s.currentSealer().PseudonymKeys()
	if len(keys) == 0 {
		return [][]byte{s.processKey}
	}
	for i, key := range keys {
		keys[i] = sealing.KeyedDigest(key, "database", string(s.databaseKey))
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
	return hex.EncodeToString(sealing.KeyedDigest(key, "unknown", username)[:tokenIDSize])
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

// currentSealer returns the sealer in use.
func (s *Service) currentSealer() sealing.Sealer { return *s.sealer.Load() }

// openWith decrypts a sealed token.
func openWith(sealer sealing.Sealer, t Token) (string, error) {
	return sealer.Open(t.SealKey, t.UserID, t.Digest, t.Sealed)
}

// SealWith replaces the sealer.
func (s *Service) SealWith(sealer sealing.Sealer) { s.sealer.Store(&sealer) }

// openToken decrypts a sealed token. If its key is missing, the keys are read again.
func (s *Service) openToken(t Token) (string, error) {
	text, err := openWith(s.currentSealer(), t)
	if !errors.Is(err, sealing.ErrNoKey) || s.refreshKeys == nil {
		return text, err
	}
	sealer, err := s.refreshSealer(err)
	if err != nil {
		return "", err
	}
	return openWith(sealer, t)
}

// sealerOrRefresh returns the sealer for a new token. If it has no key, the keys are read
// again.
func (s *Service) sealerOrRefresh() (sealing.Sealer, error) {
	sealer := s.currentSealer()
	if sealer.KeyID() != "" || s.refreshKeys == nil {
		return sealer, nil
	}
	return s.refreshSealer(sealing.ErrNoKey)
}

// refreshSealer reads the keys again, after a failure for want of one.
func (s *Service) refreshSealer(err error) (sealing.Sealer, error) {
	sealer, rekeying := s.refreshKeys()
	if rekeying != nil {
		return sealing.Sealer{}, fmt.Errorf("%w; read keys again: %w", err, rekeying)
	}
	s.SealWith(sealer)
	return sealer, nil
}

// wrapSealError turns an error from sealing or opening into the engine's. It logs what the
// operator can do about a missing key.
func (s *Service) wrapSealError(doing string, err error) *Error {
	if errors.Is(err, sealing.ErrNoKey) {
		s.log.Error("a token that has to be shown again can't be: bring the file of its sealing key back, or give the key with AUTHCOMPAT_SECRET_KEY or --secret-key-file", "error", err)
		return &Error{Kind: KindUnavailable, Err: err}
	}
	return wrapStoreError(doing, err)
}
