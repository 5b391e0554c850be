package record

import (
	"crypto/rand"
	"encoding/base64"
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

// secretName matches the names of headers, parameters and fields whose values are secrets.
var secretName = pattern(`(?i)pass|pwd|^pw[0-9]?$|kennwort|secret|token|api[-_]?key|^key$|auth|credential|session|csrf|xsrf|otp|jwt|^(access|refresh|code|pin|sid|signature|hash)$|(activation|confirmation|verification|recovery|reset|backup)[-_]?(key|code)s?$`)

// passwordName matches those of passwords.
var passwordName = pattern(`(?i)pass|pwd|^pw[0-9]?$|kennwort|^pin$`)

// opaque tells whether a value of a response looks as if it could not be guessed: an identifier that
// someone made up for one purpose.
func opaque(value string) bool {
	if len(value) < 16 || !isToken68(value) {
		return false
	}
	if hexOnly().MatchString(value) {
		return true
	}
	return len(value) >= 20 && strings.ContainsAny(value, "0123456789") && strings.ContainsAny(strings.ToLower(value), "abcdefghijklmnopqrstuvwxyz") && !strings.Contains(value, "//")
}

// issuable tells whether a value that a response has under a secret's name can be one, and is not a word
// about it.
func issuable(value string) bool {
	return len(value) >= 8 && isToken68(value) && strings.ContainsAny(value, "0123456789")
}

// isHash reports whether a text is the hash of a password, as Django or crypt(3) write it.
func isHash(value string) bool {
	return passwordHash().MatchString(value) && strings.Count(value, "$") >= 2
}

func isToken68(value string) bool {
	return token68().MatchString(value)
}

// basicCredentials decodes what follows Basic in an Authorization header.
func basicCredentials(text string) (username, password string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	}
	if err != nil {
		raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	}
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

// splitCredentials cuts an Authorization header into its scheme with what follows, and the credentials.
func splitCredentials(value string) (scheme, credentials string) {
	at := strings.IndexAny(value, " \t")
	if at < 0 {
		if schemeAlone().MatchString(value) {
			return value, ""
		}
		return "", value
	}
	rest := strings.TrimLeft(value[at:], " \t")
	return value[:len(value)-len(rest)], rest
}
