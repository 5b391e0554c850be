package shadow

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMask is how many characters of a form are shown.
const maxMask = 60

// Mask returns the form of a text: each digit is 9, each capital A and each other letter a. What
// is left is punctuation, spaces and the length; of a long text, its beginning.
func Mask(text string) string {
	masked := strings.Map(func(c rune) rune {
		switch {
		case unicode.IsDigit(c):
			return '9'
		case unicode.IsUpper(c):
			return 'A'
		case unicode.IsLetter(c), unicode.IsMark(c):
			return 'a'
		case c < ' ' || c > '~':
			return '?'
		}
		return c
	}, text)
	if utf8.RuneCountInString(masked) <= maxMask {
		return masked
	}
	return string([]rune(masked)[:maxMask]) + "…"
}

// looksSecret reports whether a text has a word in it that may be a token: long, and with digits.
func looksSecret(text string) bool {
	const long = 16
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		if len(word) >= long && strings.ContainsAny(word, "0123456789") {
			return true
		}
	}
	return false
}

// maxKey is the length of a key that is shown as it is.
const maxKey = 40

// key returns a key of an object, or a cookie's name, as it may be shown: those of an API are
// plain names.
func key(name string) string {
	plain := name != "" && len(name) <= maxKey && !looksSecret(name)
	for i, c := range name {
		plain = plain && (c == '_' || c == '-' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9')
	}
	if !plain {
		return Mask(name)
	}
	return name
}
