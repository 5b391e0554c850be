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

// maxText is how many characters of a text are shown whose words are known.
const maxText = 200

// maskWords is Mask of the words of a text that are not known.
func maskWords(text string, known func(string) bool) string {
	var out strings.Builder
	word := 0 // where it begins
	flush := func(end int) {
		if known(text[word:end]) {
			out.WriteString(text[word:end])
			return
		}
		out.WriteString(Mask(text[word:end]))
	}
	for i, c := range text {
		if unicode.IsLetter(c) {
			continue
		}
		flush(i)
		out.WriteString(Mask(string(c)))
		word = i + utf8.RuneLen(c)
		if c == utf8.RuneError {
			return Mask(text) // it may be longer or shorter than it was written
		}
	}
	flush(len(text))
	if out.Len() > maxText {
		return Mask(text)
	}
	return out.String()
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
