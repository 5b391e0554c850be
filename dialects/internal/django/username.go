// Package django implements the parts of Django that the families share: validators,
// request parsing and error pages. Versions are 2.2 to 3.2 unless a
// comment says otherwise.
package django

import (
	"unicode"

	"github.com/authcompat/authcompat/profiles"
)

// ValidUsername tells whether a username has only characters of the set and is not
// empty (django/contrib/auth/validators.py, the pattern ^[\w.@+-]+\Z). \w is
// Python's: every letter and number of Unicode and the underscore, but no
// combining mark.
func ValidUsername(name string, set profiles.Characters) bool {
	if name == "" {
		return false
	}
	for _, r := range name {
		switch {
		case r == '_', r == '.', r == '@', r == '+', r == '-':
		case r < 0x80:
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') && set != profiles.CharactersAny {
				return false
			}
		case set == profiles.CharactersASCII:
			return false
		case set == profiles.CharactersDjango && !unicode.IsLetter(r) && !unicode.IsNumber(r):
			return false
		}
	}
	return true
}
