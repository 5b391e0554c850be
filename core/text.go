package core

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Strip cuts white space off both ends as Python's str.strip does: Unicode's
// White_Space and the four separators U+001C to U+001F, which that property
// leaves out. The dialects strip what clients send; the engine an address before it
// is stored, as Django's BaseUserManager.normalize_email does.
func Strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
	})
}

// NormalizeUsername gives the form in which a username is stored where a policy normalizes
// it: NFKC (AbstractBaseUser.normalize_username). A name that no form would make short
// enough to be stored stays as it is: to normalize a mebibyte can take half a second.
func NormalizeUsername(name string) string {
	const composed = 4 // most code points that become one: a Greek letter with three marks
	if utf8.RuneCountInString(name) > composed*MaxUsername {
		return name
	}
	return norm.NFKC.String(name)
}
