package shadowing

import (
	"strings"
	"unicode"
)

// words are those of an API's own texts.
type words map[string]bool

// wordsOf returns the words of a text.
func wordsOf(text string) words {
	all := make(words)
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return !unicode.IsLetter(c) }) {
		all[word] = true
	}
	return all
}

// has reports whether a word, which may be empty, is one of them.
func (w words) has(word string) bool { return word == "" || w[word] }
