package template

import (
	"fmt"
	"strings"
)

// A Template is text with references ${…}, and in an expectation also with placeholders <…>.
type Template struct {
	Source string
	Parts  []Part
}

// A Part is a reference, a placeholder, or, with neither set, literal text.
type Part struct {
	literal     string
	Reference   *Reference
	Placeholder *Placeholder
}

// Parse reads a template and returns all problems. In a request < is an ordinary character; in an
// expectation << stands for one where it would begin a placeholder. Everywhere $${ stands for ${.
func Parse(source string, expectation bool) (Template, []string) {
	p := templateParser{expectation: expectation, rest: source}
	for p.rest != "" {
		p.next()
	}
	p.flush()
	return Template{Source: source, Parts: p.parts}, p.problems
}

type templateParser struct {
	expectation bool
	rest        string
	literal     strings.Builder
	parts       []Part
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
			p.parts = append(p.parts, Part{Reference: r})
			return err
		})
	case p.expectation && strings.HasPrefix(p.rest, "<<"):
		p.literal.WriteByte('<')
		p.rest = p.rest[2:]
	case p.expectation && len(p.rest) > 1 && p.rest[0] == '<' && isLower(p.rest[1]):
		p.inner(1, ">", "placeholder", func(text string) error {
			h, err := parsePlaceholder(text)
			p.parts = append(p.parts, Part{Placeholder: h})
			return err
		})
	default:
		p.literal.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
}

// inner parses the text between an opening of the given length and the end.
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
		p.parts = append(p.parts, Part{literal: p.literal.String()})
		p.literal.Reset()
	}
}

// Expand returns the text of the template with references replaced by their values. Placeholders
// are left as they were written.
func (t Template) Expand(s *Scope) string {
	var b strings.Builder
	for _, part := range t.Parts {
		b.WriteString(part.expand(s))
	}
	return b.String()
}

func (p Part) expand(s *Scope) string {
	switch {
	case p.Reference != nil:
		return p.Reference.value(s)
	case p.Placeholder != nil && s.Samples:
		return p.Placeholder.Sample()
	case p.Placeholder != nil:
		return p.Placeholder.String()
	}
	return p.literal
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// IsName reports whether the text can name a user or a capture: a small letter, then small letters,
// digits and underscores.
func IsName(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isLower(c) && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return text != ""
}
