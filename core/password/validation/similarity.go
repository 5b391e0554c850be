package validation

import (
	"unicode"
)

// Similarity is UserAttributeSimilarityValidator: the greatest similarity of a password to an
// attribute, or to a word of one, that is not too much, from 0.1 to 1.
type Similarity float64

// DefaultSimilarity is Django's.
const DefaultSimilarity Similarity = 0.7

// Validate implements Validator. It takes time that is linear in the length of the password and
// of each attribute: words that are ten times shorter than the password are not compared.
func (s Similarity) Validate(password string, of []Attribute) (Failure, bool) {
	var text []rune // of the password, once it is needed
	for _, a := range of {
		if a.Value == "" {
			continue
		}
		if text == nil {
			text = codePoints(lower(password))
		}
		value := codePoints(lower(a.Value))
		for _, part := range append(words(value), value) {
			if s.similar(text, part) {
				return Failure{Kind: TooSimilar, Attribute: a.VerboseName}, true
			}
		}
	}
	return Failure{}, false
}

// similar tells whether a part of an attribute is too similar to the password
// (exceeds_maximum_length_ratio, and difflib.SequenceMatcher.quick_ratio).
func (s Similarity) similar(password, part []rune) bool {
	bound := float64(s) / 2 * float64(len(password))
	if len(password) >= 10*len(part) && float64(len(part)) < bound {
		return false
	}
	return quickRatio(password, part) >= float64(s)
}

// quickRatio is twice how many characters two texts have in common, in any order, as a share of
// all of theirs.
func quickRatio(a, b []rune) float64 {
	if len(a)+len(b) == 0 {
		return 1
	}
	left := make(map[rune]int, len(b))
	for _, c := range b {
		left[c]++
	}
	matches := 0
	for _, c := range a {
		if left[c] > 0 {
			left[c]--
			matches++
		}
	}
	return 2 * float64(matches) / float64(len(a)+len(b))
}

// words splits a text where its characters are no letters, numbers or underscores, as
// re.split(r'\W+') does: there is an empty word before a separator at the start, and behind one
// at the end.
func words(text []rune) [][]rune {
	var parts [][]rune
	start, separated := 0, false
	for i, c := range text {
		word := c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c)
		switch {
		case !word && !separated:
			parts = append(parts, text[start:i])
			separated = true
		case word && separated:
			start, separated = i, false
		}
	}
	if separated {
		start = len(text)
	}
	return append(parts, text[start:])
}
