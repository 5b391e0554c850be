package profiles

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// show writes a template as in a file.
func (t Template) show() *yaml.Node {
	switch t.Kind {
	case TemplateObject:
		s := newMapWriter()
		for _, m := range t.Members {
			s.set(m.Key, m.Value.show())
		}
		return s.node
	case TemplateList:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range t.Items {
			n.Content = append(n.Content, item.show())
		}
		return n
	case TemplateValue:
		return quoted("$" + t.Value.expression())
	case TemplateText:
		var out strings.Builder
		for _, p := range t.Parts {
			if p.Value.Name != "" {
				out.WriteString("${" + p.Value.expression() + "}")
			} else {
				out.WriteString(dollars(p.Literal))
			}
		}
		return quoted(out.String())
	}
	return showLiteral(t.Literal)
}

func showLiteral(literal any) *yaml.Node {
	switch l := literal.(type) {
	case string:
		return quoted(dollars(l))
	case int64:
		return plain("!!int", strconv.FormatInt(l, 10))
	case bool:
		return plain("!!bool", strconv.FormatBool(l))
	}
	return plain("!!null", "null")
}

// dollars escapes dollar signs, so that nothing is taken for a value.
func dollars(s string) string { return strings.ReplaceAll(s, "$", "$$") }

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
