package conformance

import (
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

const (
	masked  = "…"
	shownOf = 4 // characters of a token that are shown
)

// A mask hides secrets in what a report shows.
type mask struct {
	tokens    []string
	passwords []string
	alike     *regexp.Regexp
}

// newMask hides the tokens that an exchange has captured, whatever looks like a token (a response that
// did not match may contain one that was not captured), and the passwords, those that are empty aside.
func newMask(s *template.Scope, hidden []string, passwords ...string) *mask {
	m := &mask{passwords: passwords, alike: regexp.MustCompile(`[0-9a-fA-F]{40,}`)}
	isToken := regexp.MustCompile(`^[0-9a-f]{16,}$`)
	for _, value := range s.Captures {
		if isToken.MatchString(value) {
			m.tokens = append(m.tokens, value)
		}
	}
	m.tokens = append(m.tokens, hidden...)
	return m
}

func (m *mask) hide(text string) string {
	for _, token := range m.tokens {
		text = strings.ReplaceAll(text, token, token[:min(shownOf, len(token))]+masked)
	}
	text = m.alike.ReplaceAllStringFunc(text, func(token string) string { return token[:shownOf] + masked })
	for _, password := range m.passwords {
		if password != "" {
			text = strings.ReplaceAll(text, password, masked)
		}
	}
	return text
}
