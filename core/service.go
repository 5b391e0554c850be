package core

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"
)

// Hasher checks and makes encoded passwords. Both take the time of a full
// hash, so both end early when the context does.
type Hasher interface {
	// Hash encodes a new password.
	Hash(ctx context.Context, plain string) (string, error)
	// Unusable gives an encoded password that no password matches.
	Unusable() (string, error)
	// Check tells whether plain is the password of an encoded hash, and whether
	// the hash should be made anew with Hash.
	Check(ctx context.Context, encoded, plain string) (ok, rehash bool, err error)
	// Burn spends what Check would for an account named username, for names that
	// have none.
	Burn(ctx context.Context, username, plain string) error
}

// Service is the engine. Its methods fail with *[Error] and are safe for
// concurrent use.
type Service struct {
	store  Store
	hasher Hasher
	sealer Sealer
	clock  Clock
	random io.Reader
	log    *slog.Logger
}

// Config is what a Service is made of. Store and Hasher are required.
type Config struct {
	Store  Store
	Hasher Hasher
	// Sealer opens and closes tokens that are shown again; the zero one makes
	// such logins fail with KindUnavailable.
	Sealer Sealer
	Clock  Clock        // nil: time.Now
	Random io.Reader    // nil: crypto/rand
	Log    *slog.Logger // nil: nothing is logged
}

// New makes a Service.
func New(c Config) *Service {
	s := &Service{store: c.Store, hasher: c.Hasher, sealer: c.Sealer, clock: c.Clock, random: c.Random, log: c.Log}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// now is the time as rows hold it.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// mint makes a token for the user under the policy, sealed if it is to be shown
// again.
func (s *Service) mint(p Policy, userID int64, now time.Time) (Token, string, error) {
	key, err := newKey(s.random, p.TokenHex)
	if err != nil {
		return Token{}, "", err
	}
	t := Token{
		Digest:    Presented(key).SHA256(),
		UserID:    userID,
		Realm:     p.Realm,
		Issuer:    p.Issuer,
		CreatedAt: now,
		ExpiresAt: p.expiry(now),
		Sliding:   p.sliding(),
		Reusable:  p.Reuse,
	}
	if p.Reuse {
		t.SealKey = s.sealer.KeyID()
		if t.Sealed, err = s.sealer.seal(s.random, userID, t.Digest, key); err != nil {
			return Token{}, "", err
		}
	}
	return t, key, nil
}

// sealing turns a failure to seal or open into the engine's error. A missing
// key is the operator's to mend, so the log says what to do.
func (s *Service) sealing(doing string, err error) *Error {
	if errors.Is(err, ErrNoKey) {
		s.log.Error("a token that has to be shown again can't be: give its sealing key with AUTHCOMPAT_SECRET_KEY or --secret-key-file", "error", err)
		return &Error{Kind: KindUnavailable, Err: err}
	}
	return failure(doing, err)
}
