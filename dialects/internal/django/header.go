package django

import (
	"strings"

	"github.com/authcompat/authcompat/dialects/internal/pyjson"
)

// ParseHeader reads a header value with parameters as
// django.http.multipartparser.parse_header does (and, but for the case of the
// value, Python's cgi.parse_header): the value stripped, parameter names in
// lower case, quotes and backslashes removed. A parameter without "=" is left
// out.
func ParseHeader(header string) (value string, params []Param) {
	parts := splitParams(header)
	value = strings.TrimSpace(parts[0])
	for _, part := range parts[1:] {
		name, text, found := strings.Cut(part, "=")
		if !found {
			continue
		}
		text = strings.TrimSpace(text)
		if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
			text = strings.ReplaceAll(text[1:len(text)-1], `\\`, `\`)
			text = strings.ReplaceAll(text, `\"`, `"`)
		}
		params = setParam(params, strings.ToLower(strings.TrimSpace(name)), text)
	}
	return value, params
}

// Param is one parameter of a header value.
type Param struct{ Name, Value string }

// Get gives the value of the named parameter, or "".
func Get(params []Param, name string) string {
	for _, p := range params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// setParam adds a parameter, or replaces the value of an earlier one in place,
// as a dict does.
func setParam(params []Param, name, value string) []Param {
	for i := range params {
		if params[i].Name == name {
			params[i].Value = value
			return params
		}
	}
	return append(params, Param{name, value})
}

// splitParams splits at the semicolons that are not inside quotes.
func splitParams(header string) []string {
	var parts []string
	start, quotes := 0, 0
	for i := 0; i < len(header); i++ {
		switch {
		case header[i] == '"':
			quotes++
		case header[i] == ';' && quotes%2 == 0:
			parts = append(parts, header[start:i])
			start = i + 1
		}
	}
	return append(parts, header[start:])
}

// CharsetOf gives the charset that a Content-Type asks for, UTF-8 where it names
// none that Python knows (django/core/handlers/wsgi.py, _set_content_type_params).
func CharsetOf(contentType string) pyjson.Charset {
	if !strings.Contains(contentType, ";") {
		return pyjson.Charset{}
	}
	_, params := ParseHeader(contentType)
	if c, ok := pyjson.LookupCharset(Get(params, "charset")); ok {
		return c
	}
	return pyjson.Charset{}
}
