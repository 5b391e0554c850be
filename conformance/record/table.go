package record

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// An entry is what a form of a text in a recording stands for: a secret, or a part of a user.
type entry struct {
	form    string
	encode  func(string) string // how the form is made of the text
	bounded bool                // not within a word
	secret  *secret
	person  *person
	email   bool // of the person
	upper   bool // the username in capital letters
}

// A table finds known texts in others, in every form in which they may stand.
type table struct {
	byStart  map[string][]entry // by the first bytes of their forms
	unsorted map[string]bool    // beginnings with entries that were added since they were looked for
}

func newTable() *table { return &table{byStart: map[string][]entry{}, unsorted: map[string]bool{}} }

// startLength is the length of the beginnings by which forms are found.
const startLength = 3

// addForms adds a text, of three bytes or more, in every form.
func (t *table) addForms(text string, e entry, bounded bool) {
	seen := map[string]bool{}
	for _, encode := range encodings() {
		form := encode(text)
		if seen[form] || len(form) < startLength {
			continue
		}
		seen[form] = true
		e.form, e.encode, e.bounded = form, encode, bounded
		t.add(e)
	}
}

// add adds an entry with a form of startLength or more.
func (t *table) add(e entry) {
	start := e.form[:startLength]
	t.unsorted[start] = true
	if e.person != nil { // a username that is a password, too, is mostly meant as the name
		t.byStart[start] = append([]entry{e}, t.byStart[start]...)
		return
	}
	t.byStart[start] = append(t.byStart[start], e)
}

// starting returns the entries whose forms begin so, the longer ones first, so that of two that begin alike
// the whole is found.
func (t *table) starting(start string) []entry {
	all := t.byStart[start]
	if t.unsorted[start] {
		slices.SortStableFunc(all, func(a, b entry) int { return len(b.form) - len(a.form) })
		delete(t.unsorted, start)
	}
	return all
}

// encodings are the ways in which a text stands in requests and responses.
func encodings() []func(string) string {
	return []func(string) string{
		func(s string) string { return s },
		jsonText,
		func(s string) string {
			return strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(jsonText(s))
		},
		pythonText,
		func(s string) string { return strings.ReplaceAll(pythonText(s), "/", `\/`) },
		url.QueryEscape,
		url.PathEscape,
		func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
		func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%2F", "/")
		},
		func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
		html.EscapeString,
		func(s string) string {
			return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;").Replace(s)
		},
		func(s string) string { return jsonText(html.EscapeString(s)) },
		func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		inHex,
		func(s string) string { return strings.ToUpper(inHex(s)) },
	}
}

// minHex is the least length, in bytes, of a text that is looked for in hexadecimal: a shorter one occurs by chance.
const minHex = 6

// inHex writes text in hexadecimal, or as nothing if it is too short.
func inHex(text string) string {
	if len(text) < minHex {
		return ""
	}
	return hex.EncodeToString([]byte(text))
}

// jsonText writes text as Go and JavaScript write it within a JSON string.
func jsonText(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(raw[1 : len(raw)-1]))
}

// pythonText writes text as Python's json does, in ASCII.
func pythonText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			b.WriteString(jsonText(string(r)))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func lowerEscapes(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			b.WriteString(strings.ToLower(text[i : i+3]))
			i += 2
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// at returns the longest entry whose form the text has at a place.
func (t *table) at(text string, i int) (entry, bool) {
	if t == nil || len(text)-i < startLength {
		return entry{}, false
	}
	for _, e := range t.starting(text[i : i+startLength]) {
		if strings.HasPrefix(text[i:], e.form) && (!e.bounded || isBounded(text, i, i+len(e.form))) {
			return e, true
		}
	}
	return entry{}, false
}

// all calls f with every entry that the text has, without those within others.
func (t *table) all(text string, f func(entry)) {
	for i := 0; i < len(text); {
		e, ok := t.at(text, i)
		if !ok {
			i++
			continue
		}
		f(e)
		i += len(e.form)
	}
}

// isBounded reports whether neither side of a part of the text goes on as a word.
func isBounded(text string, from, to int) bool {
	word := func(i int) bool {
		if i < 0 || i >= len(text) {
			return false
		}
		c := text[i]
		return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf
	}
	return !(word(from-1) && word(from)) && !(word(to-1) && word(to))
}
