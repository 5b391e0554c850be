// Package pyidna converts domain names to ASCII as CPython's codec "idna" does
// (Lib/encodings/idna.py): IDNA of 2003, which is RFC 3490 with the Nameprep of RFC
// 3491, on Unicode 3.2. Django validates e-mail addresses with it. (x/net/idna
// implements the later UTS 46, which accepts other names.)
package pyidna

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ErrInvalid is a name that has no ASCII form. It gives no reason, because Django
// shows none.
var ErrInvalid = errors.New("no internationalized domain name")

// acePrefix marks a label in its ASCII form.
const acePrefix = "xn--"

// maxLabel is the most bytes of a label.
const maxLabel = 63

// Codec converts domain names. Its zero value is not ready: use New.
type Codec struct{ prep nameprep }

// New makes a codec.
func New() *Codec { return &Codec{newNameprep()} }

// ToASCII is domain.encode("idna"). The error is ErrInvalid. The codec sorts combining
// marks that are newer than Unicode 3.2; here they keep their order. The result can
// then differ, but it has the same length, and the same names are invalid.
func (c *Codec) ToASCII(domain string) (string, error) {
	labels := splitDots(domain)
	last := len(labels) - 1
	for i, label := range labels {
		if label == "" && i == last && i > 0 {
			continue // the name ends with a dot
		}
		ascii, err := c.label(label)
		if err != nil {
			return "", err
		}
		labels[i] = ascii
	}
	return strings.Join(labels, "."), nil
}

// splitDots splits at the full stops of RFC 3490, section 3.1.
func splitDots(s string) []string {
	return strings.Split(strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".").Replace(s), ".")
}

// label is ToASCII of RFC 3490, section 4.1, without UseSTD3ASCIIRules.
func (c *Codec) label(label string) (string, error) {
	if !isASCII(label) {
		prepared, ok := c.prep.label(label)
		if !ok {
			return "", ErrInvalid
		}
		if label = prepared; !isASCII(label) {
			if strings.HasPrefix(label, acePrefix) {
				return "", ErrInvalid
			}
			encoded, err := punycode(label)
			if err != nil {
				return "", ErrInvalid
			}
			label = encoded
		}
	}
	if label == "" || len(label) > maxLabel {
		return "", ErrInvalid
	}
	return label, nil
}

// punycode encodes a label. A label can have got a full stop when it was prepared, and
// the library would split it there: it sees NUL instead, which makes no difference to
// Punycode, as any ASCII character does.
func punycode(label string) (string, error) {
	if strings.ContainsRune(label, 0) {
		return idna.Punycode.ToASCII(label)
	}
	encoded, err := idna.Punycode.ToASCII(strings.ReplaceAll(label, ".", "\x00"))
	return strings.ReplaceAll(encoded, "\x00", "."), err
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
