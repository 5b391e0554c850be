package core

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// MinTokenHex is the fewest hex digits a token may have: 128 random bits.
const MinTokenHex = 32

// Digest is what a store finds a token by. For tokens issued here it is the
// SHA-256 of the token's text; a token itself is never stored readable.
type Digest []byte

// Presented is a token as a client sent it, before anyone knows whether it is
// one. Each store derives its own look-up from it.
type Presented string

// SHA256 is the digest that tokens issued here are found by.
func (p Presented) SHA256() Digest {
	sum := sha256.Sum256([]byte(p))
	return sum[:]
}

// Token is a row about an issued token. It does not hold the token's text.
type Token struct {
	Digest    Digest
	UserID    int64
	Realm     string
	Issuer    string    // name of the profile that issued it
	CreatedAt time.Time // UTC, microseconds
	// ExpiresAt is when the token ends; the zero time means never. The token is
	// refused from that instant on.
	ExpiresAt time.Time
	// Sliding is how far each use moves ExpiresAt ahead; 0 leaves it. It is the
	// row's own, so that a token keeps its rule at whichever profile it is used.
	Sliding time.Duration
	// Reusable marks the one token that its issuer shows to its user again at
	// each login. At most one row a user, realm and issuer has it.
	Reusable bool
	// Sealed is the token's text under the key named SealKey, kept only where
	// it has to be shown again.
	Sealed  []byte
	SealKey string
	// Legacy is an older server's form of the token, if one is kept. Look-ups
	// leave it out; only the export of tokens gives it.
	Legacy Legacy
	// Text is the token itself, for a store that keeps it as an older server
	// does (PlaintextStore): it is set on tokens that are being issued, and on what
	// such a store shows again.
	Plaintext Presented
}

// Expired tells whether the token is over at now.
func (t Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// Session is a user together with the live token that speaks for them. Key is
// the token's text and is set only where it was just issued, or shown again.
type Session struct {
	User  User
	Token Token
	Key   string
}

// newKey draws a token of so many hex digits.
func newKey(random io.Reader, digits int) (string, error) {
	raw := make([]byte, (digits+1)/2)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("draw token: %w", err)
	}
	return hex.EncodeToString(raw)[:digits], nil
}

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
	if p.LegacyFormat != "" && p.LegacyFormat != Authtoken {
		if t.Legacy, err = NewLegacy(p.LegacyFormat, s.random, key); err != nil {
			return Token{}, "", err
		}
	}
	if s.plaintext != nil {
		t.Plaintext = Presented(key)
	}
	if (p.Reuse || p.LegacyFormat == Authtoken) && (s.plaintext == nil || !s.plaintext.KeepsPlaintext()) {
		sealer, err := s.sealerOrRefresh()
		if err != nil {
			return Token{}, "", err
		}
		t.SealKey = sealer.KeyID()
		if t.Sealed, err = sealer.seal(s.random, userID, t.Digest, key); err != nil {
			return Token{}, "", err
		}
	}
	return t, key, nil
}
