package profiles

import (
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// ownHeaders are the headers that the server or the family writes, in lower case.
func ownHeaders() []string {
	return []string{
		"allow", "connection", "content-length", "content-type", "date", "keep-alive",
		"location", "retry-after", "trailer", "transfer-encoding", "upgrade", "www-authenticate",
	}
}

// headers reads a map of header names to values.
func headers(v yamlvalue.Value) ([]Header, bool) {
	m := v.Mapping()
	good := !m.Broken
	var list []Header
	for _, e := range m.Entries {
		s, ok := headerValue(yamlvalue.Of(e.Value))
		if reason := badHeader(e.Name, list); reason != "" {
			e.Refuse("%s", reason)
			ok = false
		}
		good = good && ok
		list = append(list, Header{Name: e.Name, Value: s})
	}
	return list, good
}

// badHeader says what is wrong with the name of a header, given those before it.
func badHeader(name string, before []Header) string {
	same := func(h Header) bool { return strings.EqualFold(h.Name, name) }
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return "a header's name is letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token)"
	case slices.Contains(ownHeaders(), strings.ToLower(name)):
		return "the server writes this header itself"
	case slices.ContainsFunc(before, same):
		return "is there twice, in another case of its letters"
	}
	return ""
}

// headerValue reads the value of a header (RFC 9110, field-value).
func headerValue(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if !ok {
		return "", false
	}
	if !httpguts.ValidHeaderFieldValue(s) {
		v.Refuse("a header's value has no line breaks and no control characters")
		return "", false
	}
	if strings.Trim(s, " \t") != s {
		v.Refuse("a header's value has no white space at its ends")
		return "", false
	}
	return s, true
}

// token reads a token of RFC 9110, such as a header's name or an authentication
// scheme.
func token(v yamlvalue.Value) (string, bool) {
	s, ok := yamlvalue.Text(v)
	if !ok {
		return "", false
	}
	if !httpguts.ValidHeaderFieldName(s) {
		v.Want("one word of letters, digits and !#$%%&'*+-.^_`|~ (RFC 9110, token)")
		return "", false
	}
	return s, true
}
