package record

import (
	"crypto/rand"
	"math/big"
	"slices"
	"strings"
	"unicode"
)

// minFound is the length from which a secret is looked for everywhere, in bytes: shorter ones are part
// of too much else.
const minFound = 4

// minInside is the length from which a secret is also looked for inside words.
const minInside = 6

// A secret is a value that the file must not have.
type secret struct {
	value    string
	shadow   string // what stands for it in the file
	password bool   // it was sent as one
	issued   bool   // a recorded response had it first
}

// A vault holds the secrets of a recording.
type vault struct {
	secrets map[string]*secret
	words   map[string]bool // names of fields
	names   map[string]bool // usernames that are somebody's password
	table   *table          // nil until all are known
}

func newVault() *vault {
	return &vault{secrets: map[string]*secret{}, words: map[string]bool{}, names: map[string]bool{}}
}

// add adds a secret and returns it; nil if it is empty.
func (v *vault) add(value string) *secret {
	if value == "" {
		return nil
	}
	s := v.secrets[value]
	if s == nil {
		s = &secret{value: value, shadow: shadow(value)}
		v.secrets[value] = s
	}
	return s
}

// found reports whether the secret is looked for everywhere.
func (v *vault) found(s *secret) bool { return len(s.value) >= minFound && !v.words[s.value] }

// InPlaceOnly returns how many secrets are not looked for everywhere.
func (v *vault) inPlaceOnly() int {
	n := 0
	for _, s := range v.secrets {
		if !v.found(s) {
			n++
		}
	}
	return n
}

// shadow returns a made-up value of the same form: letters, capitals and digits stand where there were
// some, none of them the same.
func shadow(value string) string {
	const small, capital, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	isHex := longHex().MatchString(value)
	var b strings.Builder
	same := true
	for _, r := range value {
		from := ""
		switch {
		case isHex && unicode.IsLetter(r):
			from = "abcdef"
		case 'a' <= r && r <= 'z':
			from = small
		case 'A' <= r && r <= 'Z':
			from = capital
		case '0' <= r && r <= '9':
			from = digits
		case unicode.IsLetter(r) && r > unicode.MaxASCII:
			from = "äöüéàñ"
		}
		if from == "" {
			b.WriteRune(r)
			continue
		}
		same = false
		b.WriteRune(other([]rune(from), r))
	}
	if same { // it has neither letters nor digits
		return strings.Repeat("x", len([]rune(value)))
	}
	return b.String()
}

// other returns a random one of the characters that is not the given one.
func other(from []rune, not rune) rune {
	left := slices.DeleteFunc(slices.Clone(from), func(r rune) bool { return r == not })
	n, err := rand.Int(rand.Reader, big.NewInt(int64(len(left))))
	if err != nil {
		panic(err) // crypto/rand never returns one (its documentation, from Go 1.24 on)
	}
	return left[n.Int64()]
}
