package secrets

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/fields"
	"github.com/authcompat/authcompat/conformance/wire"
)

// A Mark returns what is shown in place of a secret.
type Mark func(kind Kind, value string) string

const (
	masked   = "…"
	shownOf  = 4 // characters of a token that are shown
	minShown = 12
)

// Ellipsis is a Mark for readers: it leaves the first four characters of a token, which tell it from
// another one.
func Ellipsis(kind Kind, value string) string {
	if kind == Token && len(value) >= minShown && !strings.ContainsFunc(value[:shownOf], isOdd) {
		return value[:shownOf] + masked
	}
	return masked
}

// isOdd reports whether a character may need an escape somewhere.
func isOdd(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
}

// A Hider hides the secrets of a Set.
type Hider struct {
	patterns *patterns
	mark     Mark
	known    *strings.Replacer
}

// Hider returns one that hides what has been added so far.
func (s *Set) Hider(mark Mark) *Hider {
	type form struct{ text, shown string }
	var forms []form
	for _, value := range slices.Sorted(maps.Keys(s.values)) {
		kind := s.values[value]
		if kind == Password && slices.ContainsFunc(s.words, func(word string) bool { return strings.Contains(word, value) }) {
			continue
		}
		for _, text := range formsOf(value) {
			forms = append(forms, form{text, mark(kind, value)})
		}
	}
	// A secret may be part of a longer one.
	slices.SortStableFunc(forms, func(a, b form) int { return cmp.Compare(len(b.text), len(a.text)) })
	var pairs []string
	for _, f := range forms {
		pairs = append(pairs, f.text, f.shown)
	}
	return &Hider{patterns: s.patterns, mark: mark, known: strings.NewReplacer(pairs...)}
}

// Text hides secrets in any text: those that are known, and what looks like one.
func (h *Hider) Text(text string) string {
	text = h.known.Replace(text)
	text = h.patterns.hash.ReplaceAllStringFunc(text, func(hash string) string { return h.mark(Password, hash) })
	for _, looks := range []*regexp.Regexp{h.patterns.hex, h.patterns.jwt} {
		text = looks.ReplaceAllStringFunc(text, func(token string) string { return h.mark(Token, token) })
	}
	return text
}

// Request hides secrets in the path with its query, or in the body, of a request.
func (h *Hider) Request(text string) string {
	text = h.fields(h.patterns.requestJSON, text, func(Kind, string) bool { return true })
	text = h.fields(h.patterns.form, text, func(Kind, string) bool { return true })
	return h.Text(text)
}

// Response hides secrets in the body of a response, or in JSON that was made of it.
func (h *Hider) Response(text string) string {
	// What is known goes first: of a value that an answer repeats, a pattern does not always see the end.
	text = h.known.Replace(text)
	for _, pattern := range []*regexp.Regexp{h.patterns.responseJSON, h.patterns.echoedJSON, h.patterns.echoedForm} {
		text = h.fields(pattern, text, isAnswered)
	}
	return h.Text(text)
}

// fields hides the values of the fields that a pattern finds, as far as they are secrets.
func (h *Hider) fields(pattern *regexp.Regexp, text string, isSecret func(Kind, string) bool) string {
	return pattern.ReplaceAllStringFunc(text, func(field string) string {
		m := pattern.FindStringSubmatch(field)
		kind, value := kindOf(m[2]), unquoted(m[3])
		quote := ""
		if strings.HasPrefix(m[3], `"`) {
			quote = `"`
		}
		if value == "" || !isSecret(kind, value) {
			return field
		}
		return m[1] + quote + h.mark(kind, value) + quote
	})
}

// Header hides secrets in the value of a header, of a request or of a response.
func (h *Hider) Header(header wire.Header) string {
	switch {
	case fields.IsCredentials(header.Name):
		return h.authorization(header.Value)
	case fields.IsCookie(header.Name) && !strings.EqualFold(header.Name, "Set-Cookie"):
		pairs := strings.Split(header.Value, ";")
		for i, pair := range pairs {
			pairs[i] = h.cookie(pair)
		}
		return strings.Join(pairs, ";")
	case fields.IsCookie(header.Name):
		pair, attributes, more := strings.Cut(header.Value, ";")
		if more {
			return h.cookie(pair) + ";" + h.Text(attributes)
		}
		return h.cookie(pair)
	case fields.IsSecretHeader(header.Name) && header.Value != "":
		return h.mark(Token, header.Value)
	}
	return h.Text(header.Value)
}

func (h *Hider) authorization(value string) string {
	scheme, credentials := fields.SplitCredentials(value)
	if credentials == "" {
		return h.Text(value)
	}
	if hidden := h.Text(credentials); hidden != credentials {
		return h.Text(scheme) + hidden
	}
	kind := Token
	if strings.EqualFold(strings.TrimSpace(scheme), "Basic") {
		kind = Credentials
	}
	return h.Text(scheme) + h.mark(kind, credentials)
}

func (h *Hider) cookie(pair string) string {
	name, value, found := strings.Cut(pair, "=")
	if !found || value == "" {
		return h.Text(pair)
	}
	return h.Text(name) + "=" + h.mark(Cookie, value)
}
