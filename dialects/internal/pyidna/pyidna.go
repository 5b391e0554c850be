// Package pyidna turns domain names into ASCII as CPython's codec "idna" does
// (Lib/encodings/idna.py): IDNA of 2003, RFC 3490 with the Nameprep of RFC 3491,
// which knows Unicode as of version 3.2. Django checks addresses with it.
// (x/net/idna speaks the later UTS 46, which takes and refuses other names.)
package pyidna

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ErrInvalid is a name that has no ASCII form. The codec's reasons are never
// shown to anyone.
var ErrInvalid = errors.New("no internationalized domain name")

// acePrefix marks a label in its ASCII form.
const acePrefix = "xn--"

// maxLabel is the most bytes of a label.
const maxLabel = 63

// Codec converts domain names. Its zero value is not ready: use New.
type Codec struct{ prep nameprep }

// New makes a codec.
func New() *Codec { return &Codec{newNameprep()} }

// ToASCII is domain.encode("idna"). The error is ErrInvalid. Combining marks that
// are younger than Unicode 3.2 keep their order here, while the codec sorts them:
// the form may be another one then, but there is one exactly where the codec has
// one, and of the same length.
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

// punycode encodes a label. One that has a full stop only since it was prepared
// stays one label: the library, which would split it, sees NUL instead. ASCII
// characters all weigh the same in Punycode.
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
