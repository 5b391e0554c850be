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

// Digest is the key under which a store finds a token. For tokens issued here it is the
// SHA-256 of the text; the text itself is never stored in plaintext.
type Digest []byte

// Presented is a token as a client sent it, which may be none. Each store derives its own
// look-up from it.
type Presented string

// SHA256 returns the digest of a token issued here.
func (p Presented) SHA256() Digest {
	sum := p.Sum()
	return sum[:]
}

// Sum is SHA256 as an array.
func (p Presented) Sum() [sha256.Size]byte {
	var text [128]byte // more than a token has: no memory is allocated for a copy
	return sha256.Sum256(append(text[:0], p...))
}

// Token is what is stored about a token. It does not contain the token's text, except in
// Plaintext.
type Token struct {
	Digest    Digest
	UserID    int64
	Realm     string
	Issuer    string    // name of the profile that issued it; empty: an older server did
	CreatedAt time.Time // UTC, microseconds
	// ExpiresAt is when the token expires: it is refused from that instant on. The zero
	// time means never.
	ExpiresAt time.Time
	// Sliding is how far each use extends ExpiresAt; 0 means not at all, unless an older server
	// issued the token (Issuer is empty). It belongs to the token, which therefore keeps its
	// rule whichever profile it is used through.
	Sliding time.Duration
	// Reusable marks the one token that its issuer shows to its user again at each login.
	// At most one token of a user, realm and issuer has it.
	Reusable bool
	// Sealed is the token's text encrypted with the key SealKey, kept only if the token
	// has to be shown again.
	Sealed  []byte
	SealKey string
	// Legacy is an older server's form of the token, if one is kept. Only the export of
	// tokens reads it.
	Legacy Legacy
	// Login is set on a token that is being issued, or shown again, by a login that is to be the user's
	// LastLogin, at CreatedAt, in the same step.
	Login bool
	// By is set on a token that is being issued, or shown again, to whoever has shown this one in place of a
	// password: that has to be there still, in the same step. What ends it ends such a login, too.
	By Digest
	// Plaintext is the token's text, for a store that keeps it as an older server does
	// (PlaintextStore): set on tokens that are being issued, and on those that such a
	// store shows again.
	Plaintext Presented
}

// Expired reports whether the token has expired at now.
func (t Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// Session is a user with a live token. Key is the text of the token, if it was just issued
// or is shown again.
type Session struct {
	User  User
	Token Token
	Key   string
}

// newKey makes a random token of a prefix and so many hex digits.
func newKey(random io.Reader, prefix string, digits int) (string, error) {
	raw := make([]byte, (digits+1)/2)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("draw token: %w", err)
	}
	return prefix + hex.EncodeToString(raw)[:digits], nil
}

// mint makes a token for the user under the policy, sealed if it has to be shown again.
func (s *Service) mint(p Policy, userID int64, now time.Time) (Token, string, error) {
	key, err := newKey(s.random, p.Prefix, p.TokenHex)
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
		if t.Sealed, err = sealer.Seal(s.random, userID, t.Digest, key); err != nil {
			return Token{}, "", err
		}
	}
	return t, key, nil
}
