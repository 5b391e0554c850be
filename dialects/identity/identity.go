package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Header is the name of the header that has an identity.
const Header = "X-Authcompat-Identity"

// MaxAge is how far the time of an identity may be from the receiver's clock, either way.
const MaxAge = time.Minute

// Identity is a user whose token was checked and found good.
type Identity struct {
	UserID  int64  // in authcompat's store
	Name    string // as the API has it, UTF-8
	TokenID string // up to 16 hex digits, which reveal nothing of the token
	Time    time.Time
}

// The reasons for which an identity is not believed.
var (
	ErrMalformed = errors.New("this is no identity")
	ErrForged    = errors.New("the identity was signed with none of the keys")
	ErrStale     = errors.New("the time of the identity is too far from that of this machine")
)

const (
	version   = "v1"
	macPrefix = ";mac="
)

// Sign returns the value of the header for an identity, signed with the first of the keys.
// It panics if there is none: a value that is signed with nothing must not be sent.
func Sign(keys Keys, i Identity) string {
	if len(keys.list) == 0 {
		panic("identity: no key to sign with")
	}
	signed := fmt.Sprintf("%s;id=%d;name=%s;token=%s;time=%d", version, i.UserID, encodeName(i.Name), i.TokenID, i.Time.Unix())
	return signed + macPrefix + mac(keys.list[0], signed)
}

// form is what the value of a header looks like.
var form = regexp.MustCompile(`\A(v1;id=([0-9]{1,19});name=((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*);token=([0-9a-f]{0,16});time=([0-9]{1,12}));mac=([0-9a-f]{64})\z`)

// Verify returns the identity that the value of a header has, if it was signed with any of
// the keys and its time is at most MaxAge from now. Otherwise the error is ErrMalformed,
// ErrForged or ErrStale.
func Verify(keys Keys, value string, now time.Time) (Identity, error) {
	m := form.FindStringSubmatch(value)
	if m == nil {
		return Identity{}, ErrMalformed
	}
	if !keys.made(m[1], m[6]) {
		return Identity{}, ErrForged
	}
	id, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return Identity{}, ErrMalformed
	}
	name, err := url.PathUnescape(m[3])
	if err != nil {
		return Identity{}, ErrMalformed
	}
	seconds, err := strconv.ParseInt(m[5], 10, 64)
	if err != nil {
		return Identity{}, ErrMalformed
	}
	i := Identity{UserID: id, Name: name, TokenID: m[4], Time: time.Unix(seconds, 0).UTC()}
	if now.Sub(i.Time).Abs() > MaxAge {
		return Identity{}, ErrStale
	}
	return i, nil
}

func mac(key []byte, signed string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(signed))
	return hex.EncodeToString(h.Sum(nil))
}

// encodeName encodes a name so that no byte of it means anything in a header.
func encodeName(name string) string {
	var out strings.Builder
	for i := range len(name) {
		c := name[i]
		if isAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}
