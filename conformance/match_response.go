package conformance

import (
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/conformance/wire"
)

// match compares a response with the expected one and returns every difference. If there is none,
// what its placeholders matched has been captured into the scope.
func (r response) match(got *wire.Response, s *template.Scope) []Difference {
	var differences []Difference
	if got.Status != r.status {
		differences = append(differences, Difference{
			Position: r.statusPosition, Part: "status", Offset: -1,
			Problem: fmt.Sprintf("status is %d, want %d", got.Status, r.status),
			Want:    fmt.Sprint(r.status), Got: fmt.Sprint(got.Status),
		})
	}
	for _, h := range r.headers {
		if d := h.match(got, s); d != nil {
			differences = append(differences, *d)
		}
	}
	if d := r.body.match(got, s); d != nil {
		differences = append(differences, *d)
	}
	return differences
}

func (h headerWant) match(got *wire.Response, s *template.Scope) *Difference {
	if h.any {
		return nil
	}
	different := func(problem, want string) *Difference {
		return &Difference{
			Position: h.position, Part: "header " + h.name, Problem: problem, Offset: -1,
			Want: want, Got: headerLines(got, h.name),
		}
	}
	values := got.Values(h.name)
	want := h.lines(s)
	switch {
	case len(h.values) == 0 && len(values) > 0:
		return different(h.name+" is there, want none", "")
	case len(values) == 0 && len(h.values) > 0:
		return different(h.name+" is missing", want)
	case len(values) != len(h.values):
		return different(fmt.Sprintf("%s appears %d times, want %d", h.name, len(values), len(h.values)), want)
	}
	for i, value := range values {
		if c := h.values[i].Match(value, s); c.Problem != "" {
			return different(h.name+" differs", want)
		}
	}
	for _, line := range got.Headers {
		if strings.EqualFold(line.Name, h.name) && line.Name != h.name {
			return different(h.name+" is spelled "+line.Name, want)
		}
	}
	return nil
}

func (h headerWant) lines(s *template.Scope) string {
	lines := make([]string, len(h.values))
	for i, value := range h.values {
		lines[i] = h.name + ": " + value.Expand(s)
	}
	return strings.Join(lines, "\n")
}

func headerLines(r *wire.Response, name string) string {
	var lines []string
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			lines = append(lines, h.Name+": "+h.Value)
		}
	}
	return strings.Join(lines, "\n")
}

// maxProblem is how much is said of what is wrong in a body, in bytes: each member may be.
const maxProblem = 4 << 10

// match compares a body with the expected one.
func (b bodyWant) match(got *wire.Response, s *template.Scope) *Difference {
	var c template.Comparison
	switch {
	case b.text != nil:
		c = b.text.Match(string(got.Body), s)
	case b.json != nil:
		c = b.json.Match(got.Body, b.ordered, s)
	case b.empty && len(got.Body) > 0:
		c = template.Comparison{Problem: "want an empty body", Offset: 0, Got: string(got.Body)}
	case b.html && !isHTML(got):
		c = template.Comparison{Problem: "want an HTML page", Offset: -1, Want: "Content-Type: text/html", Got: headerLines(got, "Content-Type")}
	}
	if c.Problem == "" {
		return nil
	}
	d := &Difference{
		Position: b.position, Part: "body", Offset: c.Offset,
		Problem: "body: " + atMost(maxProblem, c.Problem), Want: atMost(maxShown, c.Want), Got: atMost(maxShown, c.Got),
	}
	if c.Offset >= 0 {
		before := got.Body[:c.Offset]
		d.Line = strings.Count(string(before), "\n") + 1
		d.Column = len(before) - strings.LastIndex(string(before), "\n")
		d.Problem = fmt.Sprintf("body differs at byte %d (line %d, column %d)", d.Offset, d.Line, d.Column)
		if c.Problem != template.Differs {
			d.Problem += ": " + c.Problem
		}
	}
	return d
}

func isHTML(r *wire.Response) bool {
	value, _ := r.Value("Content-Type")
	kind, _, err := mime.ParseMediaType(value)
	return err == nil && kind == "text/html"
}

// resembles reports whether a response has a body of the expected kind: a JSON object with the same
// keys, another JSON value of the same kind, an HTML page, nothing, or the expected text.
func (r response) resembles(got *wire.Response, s *template.Scope) bool {
	switch b := r.body; {
	case b.json != nil:
		return resemblesJSON(b.json.Tree(s), got.Body)
	case b.text != nil:
		// Most texts are JSON whose white space and order of keys is exact.
		if want, err := jsontree.Parse([]byte(b.text.Expand(s))); err == nil {
			return resemblesJSON(want, got.Body)
		}
		return b.text.Match(string(got.Body), s).Problem == ""
	}
	return r.body.match(got, s) == nil
}

func resemblesJSON(want jsontree.Value, body []byte) bool {
	got, err := jsontree.Parse(body)
	return err == nil && want.Kind == got.Kind && slices.Equal(sortedKeys(want), sortedKeys(got))
}

func sortedKeys(v jsontree.Value) []string {
	var keys []string
	for _, member := range v.Members {
		keys = append(keys, member.Key)
	}
	slices.Sort(keys)
	return keys
}
