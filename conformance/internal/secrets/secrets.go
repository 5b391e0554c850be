// Package secrets finds the passwords, tokens and hashes of a conversation and hides them in what is
// shown of it, in any of the forms in which they are sent or answered.
package secrets

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/authcompat/authcompat/conformance/wire"
)

// A Kind is what a secret is. Its text fits the name of a shell's variable.
type Kind string

// The kinds of secrets.
const (
	Password    Kind = "PASSWORD"
	Token       Kind = "TOKEN"
	Credentials Kind = "CREDENTIALS" // of HTTP Basic
	Cookie      Kind = "COOKIE"
)

// The least lengths, in bytes, of secrets that are hidden wherever they occur. Shorter ones are part of
// ordinary words: they are hidden where a field, a header or a cookie holds them.
const (
	minPassword = 3
	minToken    = 8
	minAnswered = 16 // of a token in an answer
)

// A Set is the secrets of a conversation. They may be added in any order; what is hidden has to come
// after all of them. It is not safe for concurrent use.
type Set struct {
	patterns *patterns
	values   map[string]Kind
	words    []string
}

// New returns a Set in which nothing is yet.
func New() *Set { return &Set{patterns: newPatterns(), values: map[string]Kind{}} }

// Add adds a secret that is known.
func (s *Set) Add(kind Kind, value string) {
	least := minToken
	if kind == Password {
		least = minPassword
	}
	if _, there := s.values[value]; !there && len(value) >= least {
		s.values[value] = kind
	}
}

// Word adds a text that is expected of every server. A password that is part of it is an ordinary word,
// such as the name of a field: it is hidden only where a field, a header or a cookie holds it.
func (s *Set) Word(text string) { s.words = append(s.words, text) }

// Request adds what a request has in the places for secrets.
func (s *Set) Request(r wire.Request) {
	for _, h := range r.Headers {
		s.header(h)
	}
	for _, m := range s.patterns.address.FindAllStringSubmatch(r.Path, -1) {
		if value, err := url.QueryUnescape(m[3]); err == nil { // as Django up to 3.1 parts pairs, by semicolons
			s.Add(s.patterns.kindOf(m[2]), value)
		}
	}
	for _, text := range []string{r.Path, string(r.Body)} {
		for _, m := range s.patterns.requestJSON.FindAllStringSubmatch(text, -1) {
			s.Add(s.patterns.kindOf(m[2]), unquoted(m[3]))
		}
		for _, m := range s.patterns.form.FindAllStringSubmatch(text, -1) {
			if value, err := url.QueryUnescape(m[3]); err == nil {
				s.Add(s.patterns.kindOf(m[2]), value)
			}
		}
	}
}

// Response adds what a response has in the places for secrets.
func (s *Set) Response(r *wire.Response) {
	for _, h := range r.Headers {
		s.header(h)
	}
	for _, hash := range s.patterns.hash.FindAllString(string(r.Body), -1) {
		s.Add(Password, hash)
		s.Add(Password, hash[strings.LastIndexByte(hash, '$')+1:])
	}
	for _, m := range s.patterns.responseJSON.FindAllStringSubmatch(string(r.Body), -1) {
		if kind, value := s.patterns.kindOf(m[2]), unquoted(m[3]); isAnswered(kind, value) {
			s.Add(kind, value)
		}
	}
	for _, m := range s.patterns.schemeJSON.FindAllStringSubmatch(string(r.Body), -1) {
		if strings.ContainsAny(m[3], "0123456789") { // and no sentence
			s.Add(Token, unquoted(`"`+m[3]+`"`))
		}
	}
}

// isAnswered reports whether the value of a field in an answer is a secret of its kind, rather than a
// word about one.
func isAnswered(kind Kind, value string) bool { return kind == Password || len(value) >= minAnswered }

func (s *Set) header(h wire.Header) {
	switch name := strings.ToLower(h.Name); {
	case name == "authorization" || name == "proxy-authorization":
		scheme, credentials := splitAuthorization(h.Value)
		if !strings.EqualFold(strings.TrimSpace(scheme), "Basic") {
			s.Add(Token, credentials)
			return
		}
		s.Add(Credentials, credentials)
		if pair, err := base64.StdEncoding.DecodeString(credentials); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			s.Add(Password, password)
		}
	case name == "cookie":
		for pair := range strings.SplitSeq(h.Value, ";") {
			_, value, _ := strings.Cut(pair, "=")
			s.Add(Cookie, strings.TrimSpace(value))
		}
	case name == "set-cookie":
		pair, _, _ := strings.Cut(h.Value, ";")
		_, value, _ := strings.Cut(pair, "=")
		s.Add(Cookie, strings.TrimSpace(value))
	case s.patterns.headerName.MatchString(name):
		s.Add(Token, h.Value)
	default:
		for _, m := range s.patterns.address.FindAllStringSubmatch(h.Value, -1) {
			s.Add(s.patterns.kindOf(m[2]), m[3])
			if value, err := url.QueryUnescape(m[3]); err == nil {
				s.Add(s.patterns.kindOf(m[2]), value)
			}
		}
	}
}

// splitAuthorization cuts the value of an Authorization header behind its scheme. One that has no
// white space is a scheme if it is no longer than those in use.
func splitAuthorization(value string) (scheme, credentials string) {
	trimmed := strings.TrimLeft(value, " \t")
	at := strings.IndexAny(trimmed, " \t")
	switch {
	case at < 0 && len(trimmed) <= len("Negotiate"):
		return value, ""
	case at < 0 || at > 20:
		return "", value
	}
	credentials = strings.TrimLeft(trimmed[at:], " \t")
	return value[:len(value)-len(credentials)], credentials
}
