package template

import (
	"errors"
	"maps"
	"strings"
)

// A Comparison is the result of matching a text or a JSON document. Want and Got are what to show
// people: in Got, placeholders replace what they matched, so that a diff of the two shows only what
// does not match.
type Comparison struct {
	Problem string // what is wrong at the first difference; empty if there is none
	Offset  int    // of the first difference, in bytes of the text; -1 for JSON, which has paths
	Want    string
	Got     string
}

// Differs is the problem of a literal that does not match: only its place is worth telling.
const Differs = "it differs"

// Match compares a text with the template. Only if all of it matches are placeholders captured into
// the scope.
func (t Template) Match(got string, s *Scope) Comparison {
	var c Comparison
	var shown strings.Builder
	captures := map[string]string{}
	rest := got
	for i, part := range t.Parts {
		n, err := part.match(rest, s)
		if err != nil {
			c.Problem, c.Offset = err.Error(), len(got)-len(rest)+n
			shown.WriteString(t.showRest(i, rest))
			c.Want, c.Got = t.Expand(s), shown.String()
			return c
		}
		if h := part.Placeholder; h != nil && h.Capture != "" {
			captures[h.Capture] = rest[:n]
		}
		shown.WriteString(part.expand(s))
		rest = rest[n:]
	}
	if rest != "" {
		c.Problem, c.Offset = "want the end here", len(got)-len(rest)
		c.Want, c.Got = t.Expand(s), shown.String()+rest
		return c
	}
	maps.Copy(s.Captures, captures)
	return c
}

// match returns how many bytes at the beginning of the text the part matches. With an error, it is
// how many matched before the first that did not.
func (p Part) match(text string, s *Scope) (int, error) {
	if p.Placeholder != nil {
		return p.Placeholder.match(text, s)
	}
	want := p.expand(s)
	if strings.HasPrefix(text, want) {
		return len(want), nil
	}
	n := commonPrefix(want, text)
	if n == len(text) {
		return n, errors.New("it ends too early")
	}
	return n, errors.New(Differs)
}

// showRest returns what to show of a text that the parts from the i-th on did not match. What later
// placeholders would match in it is replaced by them.
func (t Template) showRest(i int, text string) string {
	var shown strings.Builder
	for _, part := range t.Parts[i:] {
		if h := part.Placeholder; h == nil || h.Number || h.Text {
			continue
		}
		if at := part.Placeholder.find(text); at != nil {
			shown.WriteString(text[:at[0]] + part.Placeholder.String())
			text = text[at[1]:]
		}
	}
	return shown.String() + text
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
