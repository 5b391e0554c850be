package validation

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// digits are the characters that str.isdigit takes for digits and that are no decimal ones
// (Numeric_Type=Digit in Unicode's DerivedNumericType.txt 14.0).
var digits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0xb2, Hi: 0xb3, Stride: 1}, {Lo: 0xb9, Hi: 0xb9, Stride: 1}, {Lo: 0x1369, Hi: 0x1371, Stride: 1}, {Lo: 0x19da, Hi: 0x19da, Stride: 1},
		{Lo: 0x2070, Hi: 0x2070, Stride: 1}, {Lo: 0x2074, Hi: 0x2079, Stride: 1}, {Lo: 0x2080, Hi: 0x2089, Stride: 1}, {Lo: 0x2460, Hi: 0x2468, Stride: 1},
		{Lo: 0x2474, Hi: 0x247c, Stride: 1}, {Lo: 0x2488, Hi: 0x2490, Stride: 1}, {Lo: 0x24ea, Hi: 0x24ea, Stride: 1}, {Lo: 0x24f5, Hi: 0x24fd, Stride: 1},
		{Lo: 0x24ff, Hi: 0x24ff, Stride: 1}, {Lo: 0x2776, Hi: 0x277e, Stride: 1}, {Lo: 0x2780, Hi: 0x2788, Stride: 1}, {Lo: 0x278a, Hi: 0x2792, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x10a40, Hi: 0x10a43, Stride: 1}, {Lo: 0x10e60, Hi: 0x10e68, Stride: 1}, {Lo: 0x11052, Hi: 0x1105a, Stride: 1}, {Lo: 0x1f100, Hi: 0x1f10a, Stride: 1},
	},
	LatinOffset: 2,
}

// size is how many bytes the code point at the start of a text takes: a lone surrogate, which
// JSON can have, takes three.
func size(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	if n == 1 && len(text) >= 3 && text[0] == 0xed && text[1]&0xe0 == 0xa0 && text[2]&0xc0 == 0x80 {
		return 3
	}
	return n
}

// length is how many code points a text has, as len in Python.
func length(text string) (n int) {
	for ; text != ""; n++ {
		text = text[size(text):]
	}
	return n
}

// codePoints returns the code points of a text.
func codePoints(text string) []rune {
	points := make([]rune, 0, len(text))
	for text != "" {
		c, _ := utf8.DecodeRuneInString(text)
		n := size(text)
		if c == utf8.RuneError && n == 3 && text[0] == 0xed {
			c = 0xd000 | rune(text[1]&0x3f)<<6 | rune(text[2]&0x3f)
		}
		points = append(points, c)
		text = text[n:]
	}
	return points
}

// lower is Python's str.lower: as Go's, but that a capital I with a dot becomes two characters,
// and that a capital sigma at the end of a word becomes the final one (Unicode, SpecialCasing.txt).
func lower(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for i, c := range text {
		switch {
		case c == 'İ':
			out.WriteString("i\u0307")
		case c == 'Σ' && casedBefore(text[:i]) && !casedNext(text[i+len("Σ"):]):
			out.WriteRune('ς')
		case c == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			out.WriteByte(text[i]) // of a surrogate
		default:
			out.WriteRune(unicode.ToLower(c))
		}
	}
	return out.String()
}

// casedBefore tells whether the last character that is not ignored has case.
func casedBefore(text string) bool {
	for text != "" {
		c, n := utf8.DecodeLastRuneInString(text)
		if !ignored(c) {
			return isCased(c)
		}
		text = text[:len(text)-n]
	}
	return false
}

// casedNext tells whether the next character that is not ignored has case.
func casedNext(text string) bool {
	for _, c := range text {
		if !ignored(c) {
			return isCased(c)
		}
	}
	return false
}

// isCased is Unicode's property Cased.
func isCased(c rune) bool {
	return unicode.In(c, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// ignored is Unicode's property Case_Ignorable; the characters are those of Word_Break MidLetter,
// MidNumLet and Single_Quote.
func ignored(c rune) bool {
	return unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", c)
}
