package token

import (
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/profiles"
)

// ParseBasic reads a header as BasicAuthentication.authenticate does
// (rest_framework/authentication.py): Found are a name and a password, which may be empty.
func ParseBasic(header string, rules profiles.Rules) (found ParseResult, name, password string) {
	first, rest := word(header)
	if !equalASCII(first, "Basic") {
		return Absent, "", ""
	}
	encoded, rest := word(rest)
	if encoded == "" {
		return Empty, "", ""
	}
	if more, _ := word(rest); more != "" {
		return HasSpaces, "", ""
	}
	raw, ok := django.DecodeBase64([]byte(encoded))
	if !ok {
		return NotBase64, "", ""
	}
	text := string(raw)
	if rules.BasicCharset == profiles.BasicLatin1 || !utf8.Valid(raw) {
		text = django.Latin1(text)
	}
	name, password, colon := strings.Cut(text, ":")
	if !colon && rules.BasicColon == profiles.BasicColonRequired {
		return NotBase64, "", ""
	}
	return Found, name, password
}
