package record

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

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
	if v, err := jsontree.Parse(body); err == nil {
		return jsonFields("", v, false, nil)
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
		for _, m := range v.Members {
			inner := m.Key
			if m.Value.Kind == jsontree.Object && secretName().MatchString(name) {
				inner = name
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

func multipartFields(body []byte, boundary string) []field {
	var fields []field
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		if err != nil {
			return fields
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return fields
		}
		fields = append(fields, field{name: part.FormName(), value: string(value), text: true})
	}
}

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
