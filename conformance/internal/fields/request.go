package fields

import (
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// Secrets returns what a request has under names of secrets, in its headers, its path and its body, and within the values
// of others. A value is there several times if servers could read it in several ways. What Authorization and Cookie have is not there.
func Secrets(r wire.Request) []Field {
	var found []Field
	for _, h := range r.Headers {
		switch {
		case IsCredentials(h.Name) || IsCookie(h.Name):
		case IsSecretHeader(h.Name):
			for _, f := range withCredentials(h.Name, h.Value) {
				found = append(found, Named(f.Name, f.Value)...)
			}
		default:
			found = append(found, inHeader(h.Value)...)
		}
	}
	all := append(OfQuery(r.Path), OfBody(r.Headers, r.Body)...)
	found = append(found, secretsOf(all)...)
	found = append(found, secretsWithin(r.Path)...)
	loose := IsLoose(r.Headers, r.Body)
	if len(all) == 0 || loose {
		found = append(found, secretsWithin(string(r.Body))...)
	}
	for _, f := range all {
		if f.Text && !IsSecret(f.Name) {
			found = append(found, secretsWithin(f.Value)...)
		}
	}
	if loose {
		found = append(found, secretsOf(unquoted(string(r.Body)))...)
	}
	return found
}

// Answered returns what a response has under names of secrets, in its headers and its body, and within the values of others:
// also words and sentences about secrets. What Authorization and Set-Cookie have is not there.
func Answered(r wire.Response) []Field {
	var found []Field
	for _, h := range r.Headers {
		switch {
		case IsCredentials(h.Name) || IsCookie(h.Name):
		case IsSecretHeader(h.Name):
			found = append(found, withCredentials(h.Name, h.Value)...)
		default:
			found = append(found, inHeader(h.Value)...)
		}
	}
	for _, f := range OfBody(r.Headers, r.Body) {
		switch {
		case !f.Text || f.List:
		case IsSecret(f.Name):
			found = append(found, withCredentials(f.Name, f.Value)...)
		default:
			found = append(found, secretsWithin(f.Value)...)
		}
	}
	if IsLoose(r.Headers, r.Body) {
		found = append(found, secretsWithin(string(r.Body))...)
	}
	return found
}

// withCredentials returns a value, and the credentials in it if it has the word before them that Authorization wants.
func withCredentials(name, value string) []Field {
	found := []Field{{Name: name, Value: value, Text: true}}
	if _, credentials := SplitCredentials(value); IsOpaque(credentials) || IsIssuable(credentials) {
		found = append(found, Field{Name: name, Value: credentials, Text: true})
	}
	return found
}

// inHeader returns what the value of a header has, which may be an address.
func inHeader(value string) []Field {
	found := secretsWithin(value)
	if IsAddress(value) {
		found = append(found, secretsOf(OfAddress(value))...)
	}
	return found
}

// IsCredentials reports whether a header of this name has credentials behind their scheme.
func IsCredentials(name string) bool {
	return strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "Proxy-Authorization")
}

// IsCookie reports whether a request's header of this name has cookies; proxies make a Cookie2 of some.
func IsCookie(name string) bool {
	return strings.HasSuffix(strings.TrimSuffix(strings.ToLower(name), "2"), "cookie")
}

// secretsOf returns those of all that have the name of a secret.
func secretsOf(all []Field) []Field {
	var found []Field
	for _, f := range all {
		if f.Text && IsSecret(f.Name) {
			found = append(found, Named(f.Name, f.Value)...)
		}
	}
	return found
}

// secretsWithin returns what a value has within it under names of secrets.
func secretsWithin(value string) []Field {
	var found []Field
	for _, f := range Within(value) {
		if !IsWord(f.Value) {
			found = append(found, secretsOf([]Field{f})...)
		}
	}
	return found
}

// Named returns a secret with this name, in each of the forms in which servers show it.
func Named(name, value string) []Field {
	var found []Field
	for _, v := range variants(value) {
		found = append(found, Field{Name: name, Value: v, Text: true})
	}
	return found
}
