package template

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// Place is the place of a template in a profile.
type Place struct {
	Name   string
	Values []ValueName // those that can be shown there
	// Formats are those of times that the profile has besides the ones that all have.
	Formats map[Format]TimeFormat
	// Attributes are the types of those that are no plain texts.
	Attributes map[string]Attribute
}

// Read reads a reply's body or the shape of errors.
func (at Place) Read(v yamlvalue.Value) (*Template, bool) {
	v.Shape().Anything()
	if v.IsNull() {
		v.Want("a body, or no such key for a reply without one")
		return nil, false
	}
	t, ok := at.node(v)
	return &t, ok
}

// node reads one part of a template.
func (at Place) node(v yamlvalue.Value) (Template, bool) {
	switch v.Node.Kind {
	case yaml.MappingNode:
		return at.object(v)
	case yaml.SequenceNode:
		return at.list(v)
	}
	t := Template{Kind: KindLiteral}
	switch {
	case v.IsText():
		return at.text(v)
	case v.IsNull():
		return t, true
	case v.Is("!!bool"):
		t.Literal = strings.EqualFold(v.Node.Value, "true")
		return t, true
	case v.Is("!!int"):
		n, err := strconv.ParseInt(v.Node.Value, 10, 64)
		if err == nil {
			t.Literal = n
			return t, true
		}
	}
	v.Want("a map, a list, a text, a whole number in decimal, true, false or null")
	return t, false
}

func (at Place) object(v yamlvalue.Value) (Template, bool) {
	m := v.Mapping()
	t, good := Template{Kind: KindObject}, true
	for _, e := range m.Entries {
		child, ok := at.node(yamlvalue.Of(e.Value))
		t.Members = append(t.Members, Member{Key: e.Name, Value: child})
		good = good && ok
	}
	return t, good
}

func (at Place) list(v yamlvalue.Value) (Template, bool) {
	t, good := Template{Kind: KindList}, true
	items, _ := v.Items()
	for _, item := range items {
		child, ok := at.node(yamlvalue.Of(item))
		t.Items = append(t.Items, child)
		good = good && ok
	}
	return t, good
}

// text reads a text: a single value, or text with values in it.
func (at Place) text(v yamlvalue.Value) (Template, bool) {
	s := v.Node.Value
	if strings.HasPrefix(s, "$") && !strings.HasPrefix(s, "$$") && !strings.HasPrefix(s, "${") {
		if strings.Trim(s[1:], valueCharacters) != "" || s == "$" {
			v.Refuse("a value inside of a text is written ${…}, a dollar sign $$")
			return Template{}, false
		}
		shown, ok := at.value(v, s[1:])
		return Template{Kind: KindValue, Value: shown}, ok
	}
	parts, ok := at.parts(v, s)
	switch {
	case len(parts) == 0:
		return Template{Kind: KindLiteral, Literal: ""}, ok
	case len(parts) == 1 && parts[0].Value.Name == "":
		return Template{Kind: KindLiteral, Literal: parts[0].Literal}, ok
	}
	return Template{Kind: KindText, Parts: parts}, ok
}

// valueCharacters are those of values with their formats, as user.created|milliseconds.
const valueCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.|"

// parts cuts a text at its values.
func (at Place) parts(v yamlvalue.Value, s string) ([]Part, bool) {
	var parts []Part
	var literal strings.Builder
	good := true
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, Part{Literal: literal.String()})
			literal.Reset()
		}
	}
	for s != "" {
		before, after, found := strings.Cut(s, "$")
		literal.WriteString(before)
		expression, rest, closed := strings.Cut(strings.TrimPrefix(after, "{"), "}")
		switch {
		case !found:
			s = ""
		case strings.HasPrefix(after, "$"):
			literal.WriteByte('$')
			s = after[1:]
		case strings.HasPrefix(after, "{") && closed:
			flush()
			shown, ok := at.value(v, expression)
			if ok && shown.Name == FieldErrors {
				v.Refuse("$%s is an object, which no text can hold", FieldErrors)
				ok = false
			}
			parts = append(parts, Part{Value: shown})
			good = good && ok
			s = rest
		default:
			v.Refuse("a value inside of a text is written ${…}, a dollar sign $$")
			return nil, false
		}
	}
	flush()
	return parts, good
}
