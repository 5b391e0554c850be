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

// formsOf returns a secret as it is, as it is written in JSON, URLs, forms and HTML, and each of these in
// base64, in hexadecimal, or in a URL or JSON once more: as in an answer that repeats a request.
func formsOf(value string) []string {
	query := url.QueryEscape(value)
	once := []string{value, inJSON(value), withoutMarkup(inJSON(value)), inASCII(value), query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(value)}
	percent := regexp.MustCompile(`%[0-9A-F]{2}`)
	for _, text := range once[4:] {
		once = append(once, percent.ReplaceAllStringFunc(text, strings.ToLower))
	}
	once = append(once, strings.ReplaceAll(value, " ", "+"), strings.ReplaceAll(value, " ", "%20")) // and nothing else, by careless clients
	var all []string
	for _, text := range distinct(once) {
		all = append(all, text, inJSON(text), withoutMarkup(inJSON(text)), inASCII(text), url.QueryEscape(text), html.EscapeString(text),
			strings.ReplaceAll(html.EscapeString(text), "&#39;", "&#x27;")) // as Django writes it
		if len(value) < minEncoded {
			continue
		}
		all = append(all, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))))
		for before := range 3 {
			all = append(all, inBase64(base64.RawStdEncoding, text, before), inBase64(base64.RawURLEncoding, text, before))
		}
	}
	return distinct(append(all, withoutMarkup(inJSON(html.EscapeString(value)))))
}

func distinct(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

func inJSON(value string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // of a string, into memory
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// withoutMarkup escapes in JSON what is markup in HTML, as Go does.
func withoutMarkup(text string) string {
	return strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`).Replace(text)
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
