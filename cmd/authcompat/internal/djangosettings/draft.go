package djangosettings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
	"github.com/authcompat/authcompat/profiles"
)

// draft is a profile that is being filled in. It loads at any time: a change that the loader
// refuses is taken back.
type draft struct {
	base     base           // the profile that it was at first
	root     *yaml.Node     // the mapping, without aliases
	settings *python.Module // what it is made from
}

// newDraft reads a profile, with its comments but that at the top, which is about the package without settings.
func newDraft(from base, text []byte, settings *python.Module) (*draft, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	d := &draft{base: from, root: expanded(file.Content[0]), settings: settings}
	d.root.HeadComment, d.root.Content[0].HeadComment = "", ""
	return d, d.check()
}

// expanded copies a node with what aliases stand for in their place: a change of one endpoint is of no other.
func expanded(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	c := *n
	c.Anchor = ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = expanded(child)
	}
	return &c
}

// yaml writes the profile.
func (d *draft) yaml() ([]byte, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(d.root); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// check loads the profile. Its error is the first problem.
func (d *draft) check() error {
	text, err := d.yaml()
	if err != nil {
		return err
	}
	_, err = profiles.Parse("profile.yaml", text)
	var all *profiles.Problems
	if errors.As(err, &all) && len(all.List) > 0 {
		return fmt.Errorf("%s: %s", all.List[0].Key, all.List[0].Text)
	}
	return err
}

// change does something to the profile, and takes it back if it doesn't load then.
func (d *draft) change(do func(root *yaml.Node) error) error {
	before := clone(d.root)
	err := do(d.root)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		d.root = before
	}
	return err
}

func clone(n *yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = clone(child)
	}
	return &c
}

// set sets the key at a path.
func (d *draft) set(value any, path ...string) error {
	return d.change(func(root *yaml.Node) error { return setIn(root, value, path...) })
}

// remove removes the key at a path, if it is there.
func (d *draft) remove(path ...string) error {
	return d.change(func(root *yaml.Node) error {
		for _, key := range path[:len(path)-1] {
			if root = entry(root, key); root == nil {
				return nil
			}
		}
		drop(root, path[len(path)-1])
		return nil
	})
}

// drop removes a key of a mapping, if it is there.
func drop(m *yaml.Node, key string) {
	if m == nil || m.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			m.Content = slices.Delete(m.Content, i, i+2)
			return
		}
	}
}

// setIn sets the key at a path below a mapping, and makes the mappings on the way. A mapping that isn't
// one yet, such as sliding: true, is replaced.
func setIn(m *yaml.Node, value any, path ...string) error {
	for _, key := range path[:len(path)-1] {
		next := entry(m, key)
		if next == nil {
			next = &yaml.Node{Kind: yaml.MappingNode}
			m.Content = append(m.Content, scalar(key), next)
		}
		if next.Kind != yaml.MappingNode {
			*next = yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		}
		m = next
	}
	var node yaml.Node
	if err := node.Encode(value); err != nil {
		return err
	}
	flow(&node)
	last := path[len(path)-1]
	if old := entry(m, last); old != nil {
		node.HeadComment, node.LineComment, node.FootComment = old.HeadComment, old.LineComment, old.FootComment
		*old = node
		return nil
	}
	m.Content = append(m.Content, scalar(last), &node)
	return nil
}

// flow writes lists and small mappings in one line.
func flow(n *yaml.Node) {
	if n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode {
		n.Style = yaml.FlowStyle
	}
}

func scalar(text string) *yaml.Node {
	var n yaml.Node
	n.SetString(text)
	return &n
}

// entry gives the value of a key, or nil.
func entry(m *yaml.Node, key string) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// value gives the text of the scalar at a path, or "".
func (d *draft) value(path ...string) string {
	n := d.root
	for _, key := range path {
		n = entry(n, key)
	}
	if n == nil {
		return ""
	}
	return n.Value
}

// errNowhere is the reason if the profile has no endpoint with the action.
var errNowhere = errors.New("this profile has no such endpoint")

// endpoints changes each endpoint with one of the actions; all endpoints without actions.
func (d *draft) endpoints(do func(endpoint *yaml.Node) error, actions ...string) error {
	return d.change(func(root *yaml.Node) error {
		all, some := entry(root, "endpoints"), false
		for i := 0; i+1 < len(all.Content); i += 2 {
			action, endpoint := all.Content[i].Value, all.Content[i+1]
			if given := entry(endpoint, "action"); given != nil {
				action = given.Value
			}
			for _, wanted := range actions {
				if action != wanted {
					continue
				}
				some = true
				if err := do(endpoint); err != nil {
					return err
				}
			}
			if len(actions) == 0 {
				some = true
				if err := do(endpoint); err != nil {
					return err
				}
			}
		}
		if !some {
			return errNowhere
		}
		return nil
	})
}

// field gives an endpoint's field with the role, or nil.
func field(endpoint *yaml.Node, role string) *yaml.Node {
	if fields, i := fieldAt(endpoint, role); i >= 0 {
		return fields.Content[i+1]
	}
	return nil
}

// fieldAt gives an endpoint's fields, and where among their contents the one with the role is; -1: nowhere.
func fieldAt(endpoint *yaml.Node, role string) (fields *yaml.Node, at int) {
	fields = entry(endpoint, "fields")
	if fields == nil {
		return nil, -1
	}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		name := fields.Content[i].Value
		if given := entry(fields.Content[i+1], "role"); given != nil {
			name = given.Value
		}
		if name == role {
			return fields, i
		}
	}
	return fields, -1
}

// addField puts a field, which is written as in a profile, before the one with a role, or behind all. One that has its
// name already stays as it is.
func addField(endpoint *yaml.Node, name, text, before string) error {
	fields, at := fieldAt(endpoint, before)
	if fields == nil {
		return errNowhere
	}
	if entry(fields, name) != nil {
		return nil
	}
	var file yaml.Node
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		return err
	}
	if at < 0 {
		at = len(fields.Content)
	}
	fields.Content = slices.Insert(fields.Content, at, scalar(name), file.Content[0])
	return nil
}

// dropField removes an endpoint's field with the role, if it is there.
func dropField(endpoint *yaml.Node, role string) {
	if fields, at := fieldAt(endpoint, role); at >= 0 {
		fields.Content = slices.Delete(fields.Content, at, at+2)
	}
}
