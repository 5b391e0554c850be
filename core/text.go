package core

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

// foldSpelling returns one text for the spellings of a username that another server may take for
// one: without white space around it, in NFKC, and whatever the case.
func foldSpelling(username string) string {
	if !Storable(username) {
		return username
	}
	return Strip(NormalizeUsername(cases.Fold().String(NormalizeUsername(Strip(username)))))
}

// spellings returns the usernames that another server may take for this one, of those that can
// be looked up: not that which has capitals where this one has none.
func spellings(username string) []string {
	plain := Strip(NormalizeUsername(Strip(username)))
	all := []string{username, Strip(username), strings.ToLower(Strip(username)), plain, strings.ToLower(plain), foldSpelling(username)}
	slices.Sort(all)
	return slices.Compact(all)
}
