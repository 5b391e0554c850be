package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// minEncoded is the least length, in bytes, of a secret that is looked for in base64 and in hexadecimal:
// the text for a shorter one occurs by chance.
const minEncoded = 6

// formsOf returns a secret as it is, and as it is written in JSON, URLs, forms, HTML, base64 and
// hexadecimal.
func formsOf(value string) []string {
	query := url.QueryEscape(value)
	all := []string{
		value, inJSON(value), inASCII(value),
		query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(value),
		html.EscapeString(value), strings.ReplaceAll(html.EscapeString(value), "&#39;", "&#x27;"), // the latter is Django's
	}
	percent := regexp.MustCompile(`%[0-9A-F]{2}`)
	for _, text := range all[3:6] {
		all = append(all, percent.ReplaceAllStringFunc(text, strings.ToLower))
	}
	if len(value) >= minEncoded {
		all = append(all, hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))))
		for before := range 3 {
			all = append(all, inBase64(base64.RawStdEncoding, value, before), inBase64(base64.RawURLEncoding, value, before))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func inJSON(value string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // of a string, into memory
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// inASCII writes a value as Python's json.dumps does, with escapes for all but ASCII.
func inASCII(value string) string {
	var b strings.Builder
	for _, r := range inJSON(value) {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// inBase64 returns the part of a base64 text that depends on the value alone, where so many bytes come
// before it.
func inBase64(encoding *base64.Encoding, value string, before int) string {
	text := encoding.EncodeToString(append(make([]byte, before), value...))
	return text[(before*8+5)/6 : (before+len(value))*8/6]
}
