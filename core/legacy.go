package core

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// LegacyFormat is the form in which an older server keeps its tokens. The empty one is the
// form of this engine.
type LegacyFormat string

// The formats.
const (
	// Authtoken keeps the text itself (rest_framework/authtoken/models.py).
	Authtoken LegacyFormat = "authtoken"
	// Knox41 keeps SHA-512 over the token's bytes and a salt (django-rest-knox
	// 2.0 to 4.1, knox/crypto.py).
	Knox41 LegacyFormat = "knox-4.1"
	// Knox42 keeps SHA-512 over the token's bytes (django-rest-knox 4.2).
	Knox42 LegacyFormat = "knox-4.2"
	// Knox5 keeps SHA-512 over the token's text (django-rest-knox 5).
	Knox5 LegacyFormat = "knox-5.x"
)

// How many characters of a token django-rest-knox keeps readable, in the column
// token_key (knox/settings.py, CONSTANTS.TOKEN_KEY_LENGTH).
const (
	knox4Prefix = 8
	knox5Prefix = 15
)

// knoxSalt is the length of a salt in bytes (knox 4.1, SALT_LENGTH).
const knoxSalt = 8

// Legacy is an older server's form of a token. If a token was imported as a digest alone,
// Token.Digest is that digest and Legacy.Digest is empty. If it was issued here for a
// profile with a legacy format, Legacy.Digest is its digest in that format.
type Legacy struct {
	Format LegacyFormat
	Prefix string // the token's first characters; knox's token_key
	Salt   []byte // Knox41 alone
	Digest Digest
}

// Knox42 returns the digest of a token of django-rest-knox 4.2; ok is false if the text is
// not whole bytes in hex, which no such token is.
func (p Presented) Knox42() (d Digest, ok bool) { return p.Knox41(nil) }

// Knox41 returns the digest of a token of django-rest-knox 2.0 to 4.1 with its salt.
func (p Presented) Knox41(salt []byte) (d Digest, ok bool) {
	raw, err := hex.DecodeString(string(p))
	if err != nil || len(raw) == 0 {
		return nil, false
	}
	sum := sha512.Sum512(append(raw, salt...))
	return sum[:], true
}

// Knox5 returns the digest of a token of django-rest-knox 5.
func (p Presented) Knox5() Digest {
	sum := sha512.Sum512([]byte(p))
	return sum[:]
}

// Prefixes returns the two prefixes under which a store may keep the legacy form of the
// token. ok is false if it can have none: the text of such a token is UTF-8 without NUL
// and short enough for a column of Django.
func (p Presented) Prefixes() (short, long string, ok bool) {
	const longest = 1 << 10
	text := string(p)
	if text == "" || len(text) > longest || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", "", false
	}
	return firstCharacters(text, knox4Prefix), firstCharacters(text, knox5Prefix), true
}

// Matches reports whether p is the token with the legacy form l and digest d. The prefix
// is compared exactly; the rest is hex of either case up to Knox42 and exact in Knox5, as
// in each version of knox (knox/auth.py).
func (l Legacy) Matches(p Presented, d Digest) bool {
	short, long, ok := p.Prefixes()
	if !ok {
		return false
	}
	var computed Digest
	switch l.Format {
	case Knox41:
		computed, ok = p.Knox41(l.Salt)
		ok = ok && l.Prefix == short
	case Knox42:
		computed, ok = p.Knox42()
		ok = ok && l.Prefix == short
	case Knox5:
		computed, ok = p.Knox5(), l.Prefix == long
	default:
		return false
	}
	return ok && subtle.ConstantTimeCompare(computed, d) == 1
}

// NewLegacy returns the legacy form of a token. Only Knox41 reads from random, for its
// salt. It fails if the format has no digest (Authtoken), or none for this text.
func NewLegacy(g LegacyFormat, random io.Reader, text string) (Legacy, error) {
	l := Legacy{Format: g}
	p := Presented(text)
	short, long, ok := p.Prefixes()
	switch {
	case !ok:
	case g == Knox5:
		l.Prefix, l.Digest = long, p.Knox5()
	case g == Knox42:
		l.Prefix = short
		l.Digest, ok = p.Knox42()
	case g == Knox41:
		l.Prefix, l.Salt = short, make([]byte, knoxSalt)
		if _, err := io.ReadFull(random, l.Salt); err != nil {
			return Legacy{}, fmt.Errorf("draw salt: %w", err)
		}
		l.Digest, ok = p.Knox41(l.Salt)
	default:
		ok = false
	}
	if !ok {
		return Legacy{}, errors.New("the token has no form in generation " + string(g))
	}
	return l, nil
}

// firstCharacters returns the first n characters of a text.
func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
