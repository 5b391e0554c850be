// Package spelling knows which texts are one username to the servers of Django, as far as these
// change what they are sent before they store or compare it.
package spelling

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
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

// longest is the most code points of a username that is stored: core.MaxUsername.
const longest = 254

// Normalize gives the form in which a username is stored where a policy normalizes
// it: NFKC (AbstractBaseUser.normalize_username). A name that no form would make short
// enough to be stored stays as it is: to normalize a mebibyte can take half a second.
func Normalize(name string) string {
	const composed = 4 // most code points that become one: a Greek letter with three marks
	if utf8.RuneCountInString(name) > composed*longest {
		return name
	}
	return norm.NFKC.String(name)
}

// Fold returns one text for the spellings of a username that another server may take for
// one: without white space around it, in NFKC, and whatever the case.
func Fold(username string) string {
	if !utf8.ValidString(username) || strings.ContainsRune(username, 0) { // which no store has
		return username
	}
	return Strip(Normalize(cases.Fold().String(Normalize(Strip(username)))))
}

// Variants returns the usernames that another server may take for this one, of those that can
// be looked up: not that which has capitals where this one has none.
func Variants(username string) []string {
	plain := Strip(Normalize(Strip(username)))
	all := []string{username, Strip(username), strings.ToLower(Strip(username)), plain, strings.ToLower(plain), Fold(username)}
	slices.Sort(all)
	return slices.Compact(all)
}

// LowerASCII returns the text with A to Z as a to z, as core.AccountStore compares what
// is case-blind: Django's iexact does so on SQLite (LIKE), whereas on PostgreSQL it takes other
// letters for one, too, by the locale of the database.
func LowerASCII(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}
