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

// Generation names the form in which an older server keeps its tokens. The
// empty one is the form of this engine.
type LegacyFormat string

// The generations.
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

// Legacy is an older server's form of a token. On a token that was taken over
// with its digest alone, Token.Digest is that digest and Twin is empty; on one
// issued here for a profile that keeps older digests, Twin is it.
type Legacy struct {
	Format LegacyFormat
	Prefix string // the token's first characters; knox's token_key
	Salt   []byte // Knox41 alone
	Digest Digest
}

// Knox42 is the digest of a token of django-rest-knox 4.2; ok is false where the
// text is not whole bytes of hex, which no such token is.
func (p Presented) Knox42() (d Digest, ok bool) { return p.Knox41(nil) }

// Knox41 is the digest of a token of django-rest-knox 2.0 to 4.1 with its salt.
func (p Presented) Knox41(salt []byte) (d Digest, ok bool) {
	raw, err := hex.DecodeString(string(p))
	if err != nil || len(raw) == 0 {
		return nil, false
	}
	sum := sha512.Sum512(append(raw, salt...))
	return sum[:], true
}

// Knox5 is the digest of a token of django-rest-knox 5.
func (p Presented) Knox5() Digest {
	sum := sha512.Sum512([]byte(p))
	return sum[:]
}

// Prefixes gives the two prefixes under which a store may keep the older form of
// what p presents, or false where no older form can be: the text of a token is
// UTF-8 without NUL and, as Django's columns have it, not long.
func (p Presented) Prefixes() (short, long string, ok bool) {
	const longest = 1 << 10
	text := string(p)
	if text == "" || len(text) > longest || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", "", false
	}
	return firstCharacters(text, knox4Prefix), firstCharacters(text, knox5Prefix), true
}

// Presents tells whether p is the token whose older form is l with digest d. The
// prefix is compared as it is; what follows is hex of either case up to
// Knox42 and exact in Knox5, as in each generation (knox/auth.py).
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

// NewLegacy gives the form that a generation would keep of the token with this
// text, its digest in Twin. Only Knox41 draws from random. It fails where the
// generation has no digest (Authtoken), or none for such a text.
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

// Seal closes the text of a token of the user, for [Token.Sealed], beside the
// digest d; the key's id goes into [Token.SealKey]. It fails with ErrNoKey
// where the sealer has no key.
func (s Sealer) Seal(random io.Reader, userID int64, d Digest, text string) ([]byte, error) {
	return s.seal(random, userID, d, text)
}

// Open gives the text of a sealed token, or fails with ErrNoKey.
func (s Sealer) Open(t Token) (string, error) { return s.open(t) }

// firstCharacters cuts a text after so many characters.
func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
