package conformance

import (
	"fmt"
	"maps"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// A jsonMatch holds a JSON document against what is expected of it.
type jsonMatch struct {
	scope    *scope
	ordered  bool
	captures map[string]string
	problems []string // each with the path it is at
}

// matchJSON compares by value: blanks between the tokens do not count, the order of keys does if
// ordered. Captures are kept if all of it is as expected.
func (w jsonWant) matchJSON(got []byte, ordered bool, s *scope) comparison {
	value, err := jsontree.Parse(got)
	if err != nil {
		return comparison{problem: err.Error(), offset: -1, want: jsontree.Indented(w.tree(s)), got: string(got)}
	}
	m := &jsonMatch{scope: s, ordered: ordered, captures: map[string]string{}}
	shown := m.value("$", w, value)
	if len(m.problems) == 0 {
		maps.Copy(s.captures, m.captures)
		return comparison{}
	}
	return comparison{
		problem: strings.Join(m.problems, "; "), offset: -1,
		want: jsontree.Indented(w.tree(s)), got: jsontree.Indented(shown),
	}
}

// value returns what was got as it is to be shown: with the placeholders' names where they match.
func (m *jsonMatch) value(path string, w jsonWant, got jsontree.Value) jsontree.Value {
	if w.kind == jsontree.String && got.Kind == jsontree.Number && w.string.isNumber() {
		return m.text(path, w, got)
	}
	if w.kind != got.Kind || w.string.isNumber() {
		m.problem(path, "want %s, got %s", w.describe(), describeKind(got.Kind))
		return got
	}
	switch w.kind {
	case jsontree.Null:
	case jsontree.Bool, jsontree.Number:
		if w.text != got.Text {
			m.problem(path, "want %s, got %s", w.text, got.Text)
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

func (m *jsonMatch) text(path string, w jsonWant, got jsontree.Value) jsontree.Value {
	inner := *m.scope
	inner.captures = maps.Clone(m.scope.captures)
	c := w.string.match(got.Text, &inner)
	if c.problem != "" {
		m.problem(path, "%s", c.problem)
		return jsontree.Value{Kind: got.Kind, Text: c.got}
	}
	for _, part := range w.string.parts {
		if h := part.placeholder; h != nil && h.capture != "" {
			m.captures[h.capture] = inner.captures[h.capture]
		}
	}
	return jsontree.Value{Kind: jsontree.String, Text: w.string.expand(m.scope)}
}

func (m *jsonMatch) array(path string, w jsonWant, got jsontree.Value) jsontree.Value {
	shown := jsontree.Value{Kind: jsontree.Array}
	if len(w.items) != len(got.Items) {
		m.problem(path, "want %d items, got %d", len(w.items), len(got.Items))
	}
	for i, item := range got.Items {
		if i < len(w.items) {
			item = m.value(fmt.Sprintf("%s[%d]", path, i), w.items[i], item)
		}
		shown.Items = append(shown.Items, item)
	}
	return shown
}

func (m *jsonMatch) object(path string, w jsonWant, got jsontree.Value) jsontree.Value {
	shown := jsontree.Value{Kind: jsontree.Object}
	wanted := map[string]jsonWant{}
	for _, member := range w.members {
		wanted[member.key] = member.value
	}
	seen := map[string]bool{}
	for _, member := range got.Members {
		want, ok := wanted[member.Key]
		switch {
		case !ok:
			m.problem(path, "unexpected key %q", member.Key)
		case seen[member.Key]:
			m.problem(path, "key %q stands twice", member.Key)
		default:
			member.Value = m.value(path+"."+member.Key, want, member.Value)
		}
		seen[member.Key] = true
		shown.Members = append(shown.Members, member)
	}
	complete := len(got.Members) == len(w.members)
	for _, member := range w.members {
		if !seen[member.key] {
			m.problem(path, "key %q is missing", member.key)
			complete = false
		}
	}
	for i := range w.members {
		if m.ordered && complete && w.members[i].key != got.Members[i].Key {
			m.problem(path, "the keys are in another order")
			break
		}
	}
	return shown
}

func (m *jsonMatch) problem(path, format string, args ...any) {
	m.problems = append(m.problems, "at "+path+" "+fmt.Sprintf(format, args...))
}

// isWhole says whether the string is nothing but a placeholder that stands for a whole JSON value.
func (t template) isWhole() bool {
	return len(t.parts) == 1 && t.parts[0].placeholder != nil && (t.parts[0].placeholder.number || t.parts[0].placeholder.text)
}

// isNumber says whether the string is nothing but a placeholder that stands for a JSON number.
func (t template) isNumber() bool {
	return len(t.parts) == 1 && t.parts[0].placeholder != nil && t.parts[0].placeholder.number
}

func (w jsonWant) describe() string {
	if w.kind == jsontree.String && w.string.isNumber() {
		return w.string.source
	}
	return describeKind(w.kind)
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

// tree returns the value with its templates expanded.
func (w jsonWant) tree(s *scope) jsontree.Value {
	v := jsontree.Value{Kind: w.kind, Text: w.text}
	if w.kind == jsontree.String {
		v.Text = w.string.expand(s)
	}
	for _, item := range w.items {
		v.Items = append(v.Items, item.tree(s))
	}
	for _, member := range w.members {
		v.Members = append(v.Members, jsontree.Member{Key: member.key, Value: member.value.tree(s)})
	}
	return v
}
