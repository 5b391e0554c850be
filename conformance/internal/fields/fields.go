// Package fields finds names with values in requests and responses, whatever they are written in and stand within, and tells
// those apart that are secrets. Recordings and reports both ask it what they have to leave out.
package fields

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A Field is a value in a body or a query, under the name that is next to it.
type Field struct {
	Name  string
	Value string
	Text  bool // it is text, or a number, and not true, false or null
	Digit bool // it is a number of JSON
	List  bool // it is within a list
}

// OfBody returns the values in a body: JSON, a form, a multipart form, or else whatever looks like
// names with values.
func OfBody(headers []wire.Header, body []byte) []Field {
	if len(body) == 0 {
		return nil
	}
	response := wire.Response{Headers: headers}
	kind, _ := response.Value("Content-Type")
	media, parameters, _ := mime.ParseMediaType(kind)
	if media == "multipart/form-data" {
		if fields := multipartFields(body, parameters["boundary"]); fields != nil {
			return fields
		}
	}
	if v, err := ParseJSON(body); err == nil {
		return jsonFields("", v, false, nil)
	}
	if fields := looseParts(string(body)); fields != nil {
		return fields
	}
	if media == "application/x-www-form-urlencoded" || formLike().Match(body) {
		return formFields(string(body))
	}
	return looseFields(string(body))
}

func jsonFields(name string, v jsontree.Value, list bool, fields []Field) []Field {
	switch v.Kind {
	case jsontree.Array:
		for _, item := range v.Items {
			fields = jsonFields(name, item, true, fields)
		}
	case jsontree.Object:
		beside := namedBeside(v)
		for _, m := range v.Members {
			inner := m.Key
			switch {
			case m.Value.Kind == jsontree.Object && IsSecret(name), IsPassword(name), isNamed(m.Key) && IsSecret(name):
				inner = name
			case beside != "" && isNamed(m.Key):
				inner = beside
			}
			fields = jsonFields(inner, m.Value, list, fields)
		}
	default:
		fields = append(fields, Field{Name: name, Value: v.Text, Text: v.Kind == jsontree.String || v.Kind == jsontree.Number, Digit: v.Kind == jsontree.Number, List: list})
	}
	return fields
}

// formFields reads pairs as browsers encode them. What is not encoded well is taken as it is.
func formFields(text string) []Field {
	var fields []Field
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		fields = append(fields, Field{Name: Unescaped(name), Value: Unescaped(value), Text: true})
	}
	return fields
}

// Unescaped decodes a part of a query or a form; one that is not encoded well is returned as it is.
func Unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// multipartFields reads the parts of a body; nil if it does not keep to its boundary to the end, or one of them has no name.
func multipartFields(body []byte, boundary string) []Field {
	var fields []Field
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields
		}
		if err != nil {
			return nil
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil
		}
		if part.FormName() == "" { // Django looks at no other word of that header
			return nil
		}
		fields = append(fields, Field{Name: part.FormName(), Value: string(value), Text: true})
	}
}

// looseParts finds parts in a body that is none, by its header or its end: Django takes what has come of one that ends too
// early. They end at the next line that begins as a boundary does.
func looseParts(text string) []Field {
	if !strings.Contains(strings.ToLower(text), "content-disposition") { // sooner than by the pattern
		return nil
	}
	var fields []Field
	heads := partHead().FindAllStringIndex(text, -1)
	for i, at := range heads {
		head, value := text[at[0]:at[1]], text[at[1]:]
		if i+1 < len(heads) {
			value = text[at[1]:heads[i+1][0]]
		}
		if end := partEnd().FindStringIndex(value); end != nil {
			value = value[:end[0]]
		}
		name := ""
		if m := partName().FindStringSubmatch(head); m != nil {
			name = m[1] + m[2]
		}
		fields = append(fields, Field{Name: name, Value: strings.TrimRight(value, "\r\n"), Text: true})
	}
	return fields
}

// ParseJSON reads JSON that is in UTF-8. Of other bytes, jsontree would make other characters, and a secret with such is
// found nowhere.
func ParseJSON(body []byte) (jsontree.Value, error) {
	if !utf8.Valid(body) {
		return jsontree.Value{}, errNotUTF8
	}
	return jsontree.Parse(body)
}

var errNotUTF8 = errors.New("it is not in UTF-8")

// looseFields finds names with values in text of another form, such as broken JSON or XML.
func looseFields(text string) []Field {
	var fields []Field
	for _, m := range looseField().FindAllStringSubmatch(text, -1) {
		fields = append(fields, Field{Name: m[1], Value: m[2] + m[3] + m[4], Text: true})
	}
	return fields
}

// OfQuery returns the parameters in the query of a path.
func OfQuery(path string) []Field {
	_, query, ok := strings.Cut(path, "?")
	if !ok {
		return nil
	}
	return formFields(query)
}

// IsAddress reports whether a header has an address, as that of the page before.
func IsAddress(value string) bool {
	return strings.HasPrefix(value, "/") || strings.Contains(value, "://")
}

// OfAddress returns what an address in a header has of names with values, in its query or its fragment, and the
// password in it, as one.
func OfAddress(value string) []Field {
	var fields []Field
	for i, part := range strings.FieldsFunc(value, func(r rune) bool { return r == '?' || r == '#' }) {
		if end := strings.IndexAny(part, "<>\" "); end >= 0 { // it is one of several, as in Link
			part = part[:end]
		}
		if i > 0 || strings.HasPrefix(value, "?") || strings.HasPrefix(value, "#") {
			fields = append(fields, formFields(part)...)
		}
	}
	if m := addressPassword().FindStringSubmatch(value); m != nil {
		fields = append(fields, Field{Name: "password", Value: Unescaped(m[1]), Text: true})
	}
	return fields
}

// Cookies returns the names and values in a Cookie header.
func Cookies(value string) [][2]string {
	var pairs [][2]string
	for pair := range strings.SplitSeq(value, ";") {
		name, text, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			name, text = "", name
		}
		pairs = append(pairs, [2]string{name, strings.Trim(text, `"`)})
	}
	return pairs
}

// SetCookie returns the name and the value in a Set-Cookie header.
func SetCookie(value string) (name, text string) {
	pair, _, _ := strings.Cut(value, ";")
	name, text, _ = strings.Cut(strings.TrimSpace(pair), "=")
	return name, strings.Trim(text, `"`)
}

// IsLoose reports whether a body is neither JSON nor a form, nor a multipart form.
func IsLoose(headers []wire.Header, body []byte) bool {
	if _, err := ParseJSON(body); err == nil || len(body) == 0 {
		return false
	}
	response := wire.Response{Headers: headers}
	kind, _ := response.Value("Content-Type")
	return !strings.HasPrefix(strings.ToLower(kind), "application/x-www-form-urlencoded") && !formLike().Match(body) && !strings.HasPrefix(strings.ToLower(kind), "multipart/")
}
