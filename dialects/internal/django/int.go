package django

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core/spelling"
)

var digits = regexp.MustCompile(`^[+-]?[0-9]+(_[0-9]+)*$`)

// ParseInt is Python's int of a text, if the number has 64 bits: white space around it, a sign, underscores between digits,
// and the decimal digits of any script.
func ParseInt(text string) (n int64, ok bool) {
	text = strings.Map(ascii, spelling.Strip(text))
	if !digits.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	return n, err == nil
}

// DecodeUID gives the primary key in the uid of a link as Django's own views, djoser and dj-rest-auth read it, if it has 64 bits:
// urlsafe_base64_decode (django/utils/http.py 3.2), force_str, and IntegerField.
func DecodeUID(uid string) (id int64, ok bool) {
	padded := urlAlphabet.Replace(uid) + strings.Repeat("=", len(uid)%4)
	text, ok := DecodeBase64([]byte(padded))
	if !ok || !utf8.ValidString(uid) || !utf8.Valid(text) {
		return 0, false
	}
	return ParseInt(string(text))
}

// urlAlphabet brings the URL-safe alphabet of base64 into the other one, which Python reads as well.
var urlAlphabet = strings.NewReplacer("-", "+", "_", "/")

// ascii gives the ASCII digit of a decimal digit, and other characters as they are. Unicode has those of a script in a row,
// from zero to nine.
func ascii(r rune) rune {
	if r < unicode.MaxASCII || !unicode.Is(unicode.Nd, r) {
		return r
	}
	for _, row := range unicode.Nd.R16 {
		if r >= rune(row.Lo) && r <= rune(row.Hi) {
			return '0' + (r-rune(row.Lo))%10
		}
	}
	for _, row := range unicode.Nd.R32 {
		if r >= rune(row.Lo) && r <= rune(row.Hi) {
			return '0' + (r-rune(row.Lo))%10
		}
	}
	return r
}
