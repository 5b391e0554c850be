package template

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
)

// Node writes a template as in a file.
func (t Template) Node() *yaml.Node {
	switch t.Kind {
	case KindObject:
		s := yamlnode.NewMap()
		for _, m := range t.Members {
			s.Set(m.Key, m.Value.Node())
		}
		return s.Node
	case KindList:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range t.Items {
			n.Content = append(n.Content, item.Node())
		}
		return n
	case KindValue:
		return yamlnode.Quoted(t.Value.String())
	case KindText:
		var out strings.Builder
		for _, p := range t.Parts {
			if p.Value.Name != "" {
				out.WriteString("${" + p.Value.expression() + "}")
			} else {
				out.WriteString(dollars(p.Literal))
			}
		}
		return yamlnode.Quoted(out.String())
	}
	return showLiteral(t.Literal)
}

func showLiteral(literal any) *yaml.Node {
	switch l := literal.(type) {
	case string:
		return yamlnode.Quoted(dollars(l))
	case int64:
		return yamlnode.Plain("!!int", strconv.FormatInt(l, 10))
	case bool:
		return yamlnode.Plain("!!bool", strconv.FormatBool(l))
	}
	return yamlnode.Plain("!!null", "null")
}

// dollars escapes dollar signs, so that nothing is taken for a value.
func dollars(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// String returns the value as a file writes it: $token.expiry|milliseconds.
func (v Value) String() string { return "$" + v.expression() }

// expression is the text behind the dollar sign.
func (v Value) expression() string {
	out := string(v.Name)
	if v.Name == UserAttribute {
		out += "." + v.Attribute
	}
	if v.Format != "" {
		out += "|" + string(v.Format)
	}
	return out
}
