package template

import (
	"fmt"
	"maps"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// A JSON is a JSON value whose strings are templates, without placeholders in a request.
type JSON struct {
	Kind    jsontree.Kind
	Text    string   // of a number or bool
	String  Template // of a string
	Items   []JSON
	Members []Member
}

// A Member is a member of an object.
type Member struct {
	Key   string
	Value JSON
}

// A jsonMatch compares a JSON document with the expected one.
type jsonMatch struct {
	scope    *Scope
	ordered  bool
	captures map[string]string
	problems []string // each begins with its path in the document
}

// Match compares a document with the expected value. White space between tokens is ignored, and so
// is the order of keys unless ordered. Only if all of it matches are placeholders captured into the
// scope.
func (w JSON) Match(got []byte, ordered bool, s *Scope) Comparison {
	value, err := jsontree.Parse(got)
	if err != nil {
		return Comparison{Problem: err.Error(), Offset: -1, Want: jsontree.Indented(w.Tree(s)), Got: string(got)}
	}
	m := &jsonMatch{scope: s, ordered: ordered, captures: map[string]string{}}
	shown := m.value("$", w, value)
	if len(m.problems) == 0 {
		maps.Copy(s.Captures, m.captures)
		return Comparison{}
	}
	return Comparison{
		Problem: strings.Join(m.problems, "; "), Offset: -1,
		Want: jsontree.Indented(w.Tree(s)), Got: jsontree.Indented(shown),
	}
}

// value compares one value and returns the one to show for it, in which placeholders replace what
// they matched.
func (m *jsonMatch) value(path string, w JSON, got jsontree.Value) jsontree.Value {
	if w.Kind == jsontree.String && got.Kind == jsontree.Number && w.String.isNumber() {
		return m.text(path, w, got)
	}
	if w.Kind != got.Kind || w.String.isNumber() {
		m.problem(path, "want %s, got %s", w.describe(), describeKind(got.Kind))
		return got
	}
	switch w.Kind {
	case jsontree.Null:
	case jsontree.Bool, jsontree.Number:
		if w.Text != got.Text {
			m.problem(path, "want %s, got %s", w.Text, got.Text)
		}
	case jsontree.String:
		return m.text(path, w, got)
	case jsontree.Array:
		return m.array(path, w, got)
	case jsontree.Object:
		return m.object(path, w, got)
	}
	return got
}

func (m *jsonMatch) text(path string, w JSON, got jsontree.Value) jsontree.Value {
	inner := *m.scope
	inner.Captures = maps.Clone(m.scope.Captures)
	c := w.String.Match(got.Text, &inner)
	if c.Problem != "" {
		m.problem(path, "%s", c.Problem)
		return jsontree.Value{Kind: got.Kind, Text: c.Got}
	}
	for _, part := range w.String.Parts {
		if h := part.Placeholder; h != nil && h.Capture != "" {
			m.captures[h.Capture] = inner.Captures[h.Capture]
		}
	}
	return jsontree.Value{Kind: jsontree.String, Text: w.String.Expand(m.scope)}
}

func (m *jsonMatch) array(path string, w JSON, got jsontree.Value) jsontree.Value {
	shown := jsontree.Value{Kind: jsontree.Array}
	if len(w.Items) != len(got.Items) {
		m.problem(path, "want %d items, got %d", len(w.Items), len(got.Items))
	}
	for i, item := range got.Items {
		if i < len(w.Items) {
			item = m.value(fmt.Sprintf("%s[%d]", path, i), w.Items[i], item)
		}
		shown.Items = append(shown.Items, item)
	}
	return shown
}

func (m *jsonMatch) object(path string, w JSON, got jsontree.Value) jsontree.Value {
	shown := jsontree.Value{Kind: jsontree.Object}
	wanted := map[string]JSON{}
	for _, member := range w.Members {
		wanted[member.Key] = member.Value
	}
	seen := map[string]bool{}
	for _, member := range got.Members {
		want, ok := wanted[member.Key]
		switch {
		case !ok:
			m.problem(path, "unexpected key %q", member.Key)
		case seen[member.Key]:
			m.problem(path, "key %q appears twice", member.Key)
		default:
			member.Value = m.value(path+"."+member.Key, want, member.Value)
		}
		seen[member.Key] = true
		shown.Members = append(shown.Members, member)
	}
	complete := len(got.Members) == len(w.Members)
	for _, member := range w.Members {
		if !seen[member.Key] {
			m.problem(path, "key %q is missing", member.Key)
			complete = false
		}
	}
	for i := range w.Members {
		if m.ordered && complete && w.Members[i].Key != got.Members[i].Key {
			m.problem(path, "the keys are in another order")
			break
		}
	}
	return shown
}

func (m *jsonMatch) problem(path, format string, args ...any) {
	m.problems = append(m.problems, "at "+path+" "+fmt.Sprintf(format, args...))
}

// IsWhole reports whether the template is one placeholder that matches a whole JSON value, and
// nothing else.
func (t Template) IsWhole() bool {
	return len(t.Parts) == 1 && t.Parts[0].Placeholder != nil && (t.Parts[0].Placeholder.Number || t.Parts[0].Placeholder.Text)
}

// isNumber reports whether the template is one placeholder that matches a JSON number, and nothing
// else.
func (t Template) isNumber() bool {
	return len(t.Parts) == 1 && t.Parts[0].Placeholder != nil && t.Parts[0].Placeholder.Number
}

func (w JSON) describe() string {
	if w.Kind == jsontree.String && w.String.isNumber() {
		return w.String.Source
	}
	return describeKind(w.Kind)
}

func describeKind(k jsontree.Kind) string {
	switch k {
	case jsontree.Null:
		return "null"
	case jsontree.Bool:
		return "true or false"
	case jsontree.Number:
		return "a number"
	case jsontree.String:
		return "a string"
	case jsontree.Array:
		return "an array"
	}
	return "an object"
}

// Tree returns the value with its templates expanded.
func (w JSON) Tree(s *Scope) jsontree.Value {
	v := jsontree.Value{Kind: w.Kind, Text: w.Text}
	if w.Kind == jsontree.String {
		v.Text = w.String.Expand(s)
		if s.Samples && w.String.isNumber() {
			v.Kind = jsontree.Number
		}
	}
	for _, item := range w.Items {
		v.Items = append(v.Items, item.Tree(s))
	}
	for _, member := range w.Members {
		v.Members = append(v.Members, jsontree.Member{Key: member.Key, Value: member.Value.Tree(s)})
	}
	return v
}

// Each calls f with every template in the value, in order.
func (w JSON) Each(f func(Template)) {
	f(w.String)
	for _, item := range w.Items {
		item.Each(f)
	}
	for _, member := range w.Members {
		member.Value.Each(f)
	}
}
