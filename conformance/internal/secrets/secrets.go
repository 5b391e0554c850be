// Package secrets finds the passwords, tokens and hashes of a conversation and hides them in what is
// shown of it, in any of the forms in which they are sent or answered.
package secrets

import (
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/fields"
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
	for _, f := range fields.Secrets(r) {
		s.Add(kindOf(f.Name), f.Value)
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
	for _, f := range fields.Answered(*r) {
		if kind := kindOf(f.Name); isAnswered(kind, f.Value) || fields.IsIssuable(f.Value) {
			s.Add(kind, f.Value)
		}
	}
}

// isAnswered reports whether the value of a field in an answer is a secret of its kind, rather than a
// word about one, or a sentence.
func isAnswered(kind Kind, value string) bool {
	return !strings.ContainsAny(value, " \t\r\n") && (kind == Password || len(value) >= minAnswered && !words().MatchString(value))
}

func (s *Set) header(h wire.Header) {
	switch {
	case fields.IsCredentials(h.Name):
		scheme, credentials := fields.SplitCredentials(h.Value)
		if !strings.EqualFold(strings.TrimSpace(scheme), "Basic") {
			s.Add(Token, credentials)
			return
		}
		s.Add(Credentials, credentials)
		if _, password, ok := fields.BasicCredentials(credentials); ok {
			for _, f := range fields.Named("password", password) {
				s.Add(Password, f.Value)
			}
		}
	case strings.EqualFold(h.Name, "Set-Cookie"):
		_, value := fields.SetCookie(h.Value)
		s.Add(Cookie, value)
	case fields.IsCookie(h.Name):
		for _, pair := range fields.Cookies(h.Value) {
			s.Add(Cookie, pair[1])
		}
	case fields.IsSecretHeader(h.Name):
		s.Add(Token, h.Value)
	}
}
