package pyjson

import (
	"strings"
	"unicode/utf8"
)

// FirstSurrogate returns the first surrogate code point of s (U+D800 to
// U+DFFF) and whether there is one. DRF 3.12 and later refuse a text field
// that has one (rest_framework/validators.py, ProhibitSurrogateCharactersValidator).
func FirstSurrogate(s string) (rune, bool) {
	for i := 0; ; i++ {
		n := strings.IndexByte(s[i:], 0xED)
		if n < 0 {
			return 0, false
		}
		i += n
		if r, ok := surrogateAt(s[i:]); ok {
			return r, true
		}
	}
}

// surrogateAt decodes the surrogate that s starts with.
func surrogateAt[T string | []byte](s T) (rune, bool) {
	if len(s) < 3 || s[0] != 0xED || s[1] < 0xA0 || s[1] > 0xBF || s[2]&0xC0 != 0x80 {
		return 0, false
	}
	return 0xD000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), true
}

// decodeRune is utf8.DecodeRuneInString for text that may hold surrogates.
func decodeRune(s string) (r rune, size int) {
	r, size = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		if lone, ok := surrogateAt(s); ok {
			return lone, 3
		}
	}
	return r, size
}

// appendRune is utf8.AppendRune for code points that may be surrogates.
func appendRune(dst []byte, r rune) []byte {
	if isSurrogate(r) {
		return append(dst, 0xED, 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(dst, r)
}

func isSurrogate(r rune) bool { return r >= 0xD800 && r <= 0xDFFF }

// Len is Python's len of a text: its code points, a lone surrogate being one.
func Len(s string) int {
	n := 0
	for i := range len(s) {
		if s[i]&0xC0 != 0x80 {
			n++
		}
	}
	return n
}
