package conformance

import (
	"fmt"
	"strings"
)

// A template is text with references ${…}, and in an expectation also with placeholders <…>.
type template struct {
	source string
	parts  []part
}

// A part is a reference, a placeholder, or, with neither set, literal text.
type part struct {
	literal     string
	reference   *reference
	placeholder *placeholder
}

// parseTemplate reads a template and returns all that is wrong with it. In a request < is an
// ordinary character; in an expectation << stands for one where it would begin a placeholder.
// Everywhere $${ stands for ${.
func parseTemplate(source string, expectation bool) (template, []string) {
	p := templateParser{expectation: expectation, rest: source}
	for p.rest != "" {
		p.next()
	}
	p.flush()
	return template{source: source, parts: p.parts}, p.problems
}

type templateParser struct {
	expectation bool
	rest        string
	literal     strings.Builder
	parts       []part
	problems    []string
}

func (p *templateParser) next() {
	switch {
	case strings.HasPrefix(p.rest, "$${"):
		p.literal.WriteString("${")
		p.rest = p.rest[3:]
	case strings.HasPrefix(p.rest, "${"):
		p.inner(2, "}", "reference", func(text string) error {
			r, err := parseReference(text)
			p.parts = append(p.parts, part{reference: r})
			return err
		})
	case p.expectation && strings.HasPrefix(p.rest, "<<"):
		p.literal.WriteByte('<')
		p.rest = p.rest[2:]
	case p.expectation && len(p.rest) > 1 && p.rest[0] == '<' && isLower(p.rest[1]):
		p.inner(1, ">", "placeholder", func(text string) error {
			h, err := parsePlaceholder(text)
			p.parts = append(p.parts, part{placeholder: h})
			return err
		})
	default:
		p.literal.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
}

// inner reads what stands between an opening of the given length and its end.
func (p *templateParser) inner(opening int, end, what string, parse func(string) error) {
	p.flush()
	text, rest, ok := strings.Cut(p.rest[opening:], end)
	if !ok {
		p.problems = append(p.problems, fmt.Sprintf("%s without its %s", what, end))
		p.rest = ""
		return
	}
	if err := parse(text); err != nil {
		p.problems = append(p.problems, fmt.Sprintf("%s %s: %v", what, p.rest[:opening]+text+end, err))
	}
	p.rest = rest
}

func (p *templateParser) flush() {
	if p.literal.Len() > 0 {
		p.parts = append(p.parts, part{literal: p.literal.String()})
		p.literal.Reset()
	}
}

// expand returns the text of a template: literals and the values of references. A placeholder is
// shown as it was written.
func (t template) expand(s *scope) string {
	var b strings.Builder
	for _, part := range t.parts {
		b.WriteString(part.expand(s))
	}
	return b.String()
}

func (p part) expand(s *scope) string {
	switch {
	case p.reference != nil:
		return p.reference.value(s)
	case p.placeholder != nil:
		return p.placeholder.String()
	}
	return p.literal
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// isName says whether the text can name a user or a capture: a small letter, then small letters,
// digits and underscores.
func isName(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isLower(c) && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return text != ""
}
