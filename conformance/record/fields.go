package record

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

// A field is a value in a body or a query, under the name that is next to it.
type field struct {
	name  string
	value string
	text  bool // it is text, or a number, and not true, false or null
	digit bool // it is a number of JSON
	list  bool // it is within a list
}

// bodyFields returns the values in a body: JSON, a form, a multipart form, or else whatever looks like
// names with values.
func bodyFields(headers []wire.Header, body []byte) []field {
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
	if v, err := parseJSON(body); err == nil {
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

func jsonFields(name string, v jsontree.Value, list bool, fields []field) []field {
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
			case m.Value.Kind == jsontree.Object && secretName().MatchString(name), passwordName().MatchString(name), isNamed(m.Key) && secretName().MatchString(name):
				inner = name
			case beside != "" && isNamed(m.Key):
				inner = beside
			}
			fields = jsonFields(inner, m.Value, list, fields)
		}
	default:
		fields = append(fields, field{name: name, value: v.Text, text: v.Kind == jsontree.String || v.Kind == jsontree.Number, digit: v.Kind == jsontree.Number, list: list})
	}
	return fields
}

// formFields reads pairs as browsers encode them. What is not encoded well is taken as it is.
func formFields(text string) []field {
	var fields []field
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		fields = append(fields, field{name: unescaped(name), value: unescaped(value), text: true})
	}
	return fields
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// multipartFields reads the parts of a body; nil if it does not keep to its boundary to the end, or one of them has no name.
func multipartFields(body []byte, boundary string) []field {
	var fields []field
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
		fields = append(fields, field{name: part.FormName(), value: string(value), text: true})
	}
}

// looseParts finds parts in a body that is none, by its header or its end: Django takes what has come of one that ends too
// early. They end at the next line that begins as a boundary does.
func looseParts(text string) []field {
	if !strings.Contains(strings.ToLower(text), "content-disposition") { // sooner than by the pattern
		return nil
	}
	var fields []field
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
		fields = append(fields, field{name: name, value: strings.TrimRight(value, "\r\n"), text: true})
	}
	return fields
}

// parseJSON reads JSON that is in UTF-8. Of other bytes, jsontree would make other characters, and a secret with such is
// found nowhere.
func parseJSON(body []byte) (jsontree.Value, error) {
	if !utf8.Valid(body) {
		return jsontree.Value{}, errNotUTF8
	}
	return jsontree.Parse(body)
}

var errNotUTF8 = errors.New("it is not in UTF-8")

// looseFields finds names with values in text of another form, such as broken JSON or XML.
func looseFields(text string) []field {
	var fields []field
	for _, m := range looseField().FindAllStringSubmatch(text, -1) {
		fields = append(fields, field{name: m[1], value: m[2] + m[3] + m[4], text: true})
	}
	return fields
}

// queryFields returns the parameters in the query of a path.
func queryFields(path string) []field {
	_, query, ok := strings.Cut(path, "?")
	if !ok {
		return nil
	}
	return formFields(query)
}

// isAddress reports whether a header has an address, as that of the page before.
func isAddress(value string) bool {
	return strings.HasPrefix(value, "/") || strings.Contains(value, "://")
}

// addressFields returns what an address in a header has of names with values, in its query or its fragment, and the
// password in it, as one.
func addressFields(value string) []field {
	var fields []field
	for i, part := range strings.FieldsFunc(value, func(r rune) bool { return r == '?' || r == '#' }) {
		if end := strings.IndexAny(part, "<>\" "); end >= 0 { // it is one of several, as in Link
			part = part[:end]
		}
		if i > 0 || strings.HasPrefix(value, "?") || strings.HasPrefix(value, "#") {
			fields = append(fields, formFields(part)...)
		}
	}
	if m := addressPassword().FindStringSubmatch(value); m != nil {
		fields = append(fields, field{name: "password", value: unescaped(m[1]), text: true})
	}
	return fields
}

// cookies returns the names and values in a Cookie header.
func cookies(value string) [][2]string {
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

// setCookie returns the name and the value in a Set-Cookie header.
func setCookie(value string) (name, text string) {
	pair, _, _ := strings.Cut(value, ";")
	name, text, _ = strings.Cut(strings.TrimSpace(pair), "=")
	return name, strings.Trim(text, `"`)
}
