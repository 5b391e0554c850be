package frontconfig

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// rule is one of its paths.
type rule struct {
	front.Rule
	at string
}

// readRules reads the list of paths.
func (b *Section) readRules(v yamlfile.Value) {
	items, ok := v.Items()
	if !ok {
		v.Refuse("want a list of maps with path and token")
		return
	}
	for _, item := range items {
		item.Key = v.Key
		r := rule{at: section.Place(item)}
		entries, _ := item.Entries()
		for e := range entries {
			switch {
			case e.Name != "path" && e.Name != "token":
				e.RefuseUnknown("path", "token")
			case !section.IsScalar(e.Value):
				e.Value.Refuse("want a text")
			case e.Name == "path":
				r.Path = e.Value.Node.Value
			case !slices.Contains(front.Tokens(), front.Token(e.Value.Node.Value)):
				e.Value.Refuse("%q: want %s", e.Value.Node.Value, tokenWords())
				r.Token = front.Pass // it is not missing
			default:
				r.Token = front.Token(e.Value.Node.Value)
			}
		}
		if r.Path == "" || r.Token == "" {
			item.Refuse("want a map with path and token")
			continue
		}
		b.rules = append(b.rules, r)
	}
}

func tokenWords() string {
	var words []string
	for _, t := range front.Tokens() {
		words = append(words, string(t))
	}
	return strings.Join(words, " or ")
}

// checkRules checks the paths.
func (b *Section) checkRules(loaded *Front, found *section.Problems) {
	for _, r := range b.rules {
		loaded.Rules, loaded.RulesAt = append(loaded.Rules, r.Rule), append(loaded.RulesAt, r.at)
	}
	for _, p := range front.CheckRules(loaded.Rules) {
		text := p.Text
		if p.Other >= 0 {
			text += " (" + b.rules[p.Other].at + ")"
		}
		found.Add(b.rules[p.Index].at, "%s", text)
	}
}

// showRules returns the paths as YAML.
func (b *Section) showRules() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, r := range b.rules {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{
			section.Text("path"), section.Text(r.Path), section.Text("token"), section.Text(string(r.Token)),
		}})
	}
	return list
}
