package conformance

import (
	"errors"
	"maps"
	"strings"
)

// A comparison is the result of holding text, or a JSON document, against what is expected. Want
// and got are what to show: got has the placeholders' names where they matched, so that only what
// really differs differs.
type comparison struct {
	problem string // what is wrong at the first difference; empty if there is none
	offset  int    // of the first difference, in bytes of what was got; -1 if it has no place
	want    string
	got     string
}

// itDiffers is the problem where there is no more to say than the place.
const itDiffers = "it differs"

// match holds text against the template, and captures what the placeholders say if all of it is
// as expected.
func (t template) match(got string, s *scope) comparison {
	var c comparison
	var shown strings.Builder
	captures := map[string]string{}
	rest := got
	for i, part := range t.parts {
		n, err := part.match(rest, s)
		if err != nil {
			c.problem, c.offset = err.Error(), len(got)-len(rest)+n
			shown.WriteString(t.showRest(i, rest))
			c.want, c.got = t.expand(s), shown.String()
			return c
		}
		if h := part.placeholder; h != nil && h.capture != "" {
			captures[h.capture] = rest[:n]
		}
		shown.WriteString(part.expand(s))
		rest = rest[n:]
	}
	if rest != "" {
		c.problem, c.offset = "want the end here", len(got)-len(rest)
		c.want, c.got = t.expand(s), shown.String()+rest
		return c
	}
	maps.Copy(s.captures, captures)
	return c
}

// match returns how many bytes at the beginning of the text the part takes. With an error, the
// number says how many were as expected.
func (p part) match(text string, s *scope) (int, error) {
	if p.placeholder != nil {
		return p.placeholder.match(text, s)
	}
	want := p.expand(s)
	if strings.HasPrefix(text, want) {
		return len(want), nil
	}
	n := commonPrefix(want, text)
	if n == len(text) {
		return n, errors.New("it ends too early")
	}
	return n, errors.New(itDiffers)
}

// showRest shows text that parts from the i-th on failed to match: where something stands further
// on that a placeholder would take, its name is shown.
func (t template) showRest(i int, text string) string {
	var shown strings.Builder
	for _, part := range t.parts[i:] {
		if h := part.placeholder; h == nil || h.number || h.text {
			continue
		}
		if at := part.placeholder.find(text); at != nil {
			shown.WriteString(text[:at[0]] + part.placeholder.String())
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
