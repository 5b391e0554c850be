package djangosettings

import (
	"bytes"
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings/python"
	"github.com/authcompat/authcompat/profiles"
)

// draft is a profile that is being filled in. It loads at any time: a change that the loader
// refuses is taken back.
type draft struct {
	root     *yaml.Node     // the mapping
	settings *python.Module // what it is made from
}

// newDraft reads a profile, with its comments.
func newDraft(text []byte, settings *python.Module) (*draft, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	d := &draft{root: file.Content[0], settings: settings}
	return d, d.check()
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
	c.Alias = clone(n.Alias)
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
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value == path[len(path)-1] {
				root.Content = append(root.Content[:i], root.Content[i+2:]...)
				return nil
			}
		}
		return nil
	})
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
	fields := entry(endpoint, "fields")
	if fields == nil {
		return nil
	}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		name := fields.Content[i].Value
		if given := entry(fields.Content[i+1], "role"); given != nil {
			name = given.Value
		}
		if name == role {
			return fields.Content[i+1]
		}
	}
	return nil
}
