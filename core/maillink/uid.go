package maillink

import (
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// base36 is the base of timestamps and of allauth's uid.
const base36 = 36

// UIDFormat is a form of the primary key in a link.
type UIDFormat string

// The forms.
const (
	// Base64 is that of Django, djoser and dj-rest-auth: the decimal digits in URL-safe base64.
	Base64 UIDFormat = "base64"
	// Base36 is that of django-allauth, which dj-rest-auth uses where that is installed.
	Base36 UIDFormat = "base36"
)

// ErrUID is the error of a uid that is no user's.
var ErrUID = errors.New("the uid of the link can't be read")

// EncodeUID returns the uid of a user.
func EncodeUID(f UIDFormat, id int64) string {
	if f == Base36 {
		return strconv.FormatInt(id, base36)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(id, 10)))
}

// DecodeUID returns the ID in a uid, which is positive, or ErrUID. It takes base64 with its padding or
// without, and base36 in any case.
func DecodeUID(f UIDFormat, uid string) (int64, error) {
	digits, base := strings.TrimSpace(uid), base36
	if len(digits) > maxUID {
		return 0, ErrUID
	}
	if f != Base36 {
		text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(urlAlphabet.Replace(digits), "="))
		if err != nil {
			return 0, ErrUID
		}
		digits, base = strings.TrimSpace(string(text)), 10
	}
	id, err := strconv.ParseInt(digits, base, 64)
	if err != nil || id <= 0 {
		return 0, ErrUID
	}
	return id, nil
}

// maxUID is longer than the uid of any ID: 19 digits in base64.
const maxUID = 40

// urlAlphabet brings the other alphabet of base64 into the URL-safe one, since Python reads both.
var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")

// allEmails returns what django-allauth appends: the user's addresses, each once, in order.
func allEmails(u User) string {
	all := slices.Clone(u.Emails)
	if u.Email != "" {
		all = append(all, u.Email)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "|")
}
