package yamlfile

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Value is one value of a file.
type Value struct {
	Node *yaml.Node // what the value is; of an alias, what it stands for
	// Position is where the value stands: an alias itself, and the key of a value that
	// is left out.
	Position Position
	Key      string // the path of keys down to it

	reader    *Reader
	isStandIn bool // see [Outline]
}

// value makes the value of a node that stands behind a key.
func (r *Reader) value(n, key *yaml.Node, path string) Value {
	v := Value{reader: r, Node: r.resolve(n), Position: r.at(n), Key: path}
	if n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 {
		// A value that is left out has no position of its own.
		v.Position = r.at(key)
	}
	if bad := r.Format.BadTag; bad != nil && v.Node.Style&yaml.TaggedStyle != 0 {
		v.Refuse("%s", bad(v.Node.Tag))
	}
	return v
}

// resolve gives what an alias stands for.
func (r *Reader) resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && !r.Format.NoAliases {
		return n.Alias
	}
	return n
}

// Refuse adds a problem with the value.
func (v Value) Refuse(format string, args ...any) {
	v.reader.Add(v.Position, v.Key, format, args...)
}

// RefuseKey adds a problem with a key that the value lacks.
func (v Value) RefuseKey(name, format string, args ...any) {
	v.reader.Add(v.Position, v.join(name), format, args...)
}

// join appends a key to the value's path.
func (v Value) join(name string) string {
	if show := v.reader.Format.ShowKey; show != nil {
		name = show(name)
	}
	if v.Key == "" {
		return name
	}
	return v.Key + "." + name
}

// Is tells whether the value is a scalar of one of the types, as !!str.
func (v Value) Is(tags ...string) bool {
	return v.Node.Kind == yaml.ScalarNode && slices.Contains(tags, v.Node.ShortTag())
}

// IsNull tells whether the value is null or left out.
func (v Value) IsNull() bool { return v.Is("!!null") }

// An Entry is a key of a map with its value.
type Entry struct {
	Name     string
	Position Position // of the key
	Value    Value
}

// Refuse adds a problem with the key.
func (e Entry) Refuse(format string, args ...any) {
	e.Value.reader.Add(e.Position, e.Value.Key, format, args...)
}

// RefuseUnknown refuses a key that is none of those that its map may have: it names the one that was
// likely meant, or all of them.
func (e Entry) RefuseUnknown(known ...string) {
	if near := Nearest(e.Name, known); near != "" {
		e.Refuse("unknown key; did you mean %s?", near)
		return
	}
	e.Refuse("unknown key; the keys here are %s", strings.Join(known, ", "))
}

// Entries reads a map, in the order of the file. ok is false if the value is none, which
// then has no entries. Bad keys are refused and left out. Of a key that is there twice the
// first counts, and the second is refused. The refusals are added on the way through the
// entries.
func (v Value) Entries() (entries iter.Seq[Entry], ok bool) {
	if v.isStandIn {
		return func(yield func(Entry) bool) {
			yield(Entry{Name: wildcard, Position: v.Position, Value: v.standIn(v.join(wildcard))})
		}, true
	}
	if v.Node.Kind != yaml.MappingNode {
		return func(func(Entry) bool) {}, false
	}
	return func(yield func(Entry) bool) {
		r, lines := v.reader, map[string]int{}
		for i := 0; i+1 < len(v.Node.Content); i += 2 {
			key := v.Node.Content[i]
			name := r.resolve(key).Value
			e := Entry{Name: name, Position: r.at(key)}
			if bad := r.Format.BadKey; bad != nil && bad(key) != "" {
				r.Add(e.Position, v.Key, "%s", bad(key))
				continue
			}
			if first, twice := lines[name]; twice {
				r.Add(e.Position, v.join(name), "%s", cmp.Or(r.Format.Twice, fmt.Sprintf("is there twice, first on line %d", first)))
				continue
			}
			lines[name] = key.Line
			e.Value = r.value(v.Node.Content[i+1], key, v.join(name))
			if !yield(e) {
				return
			}
		}
	}, true
}

// Items reads a list. ok is false if the value is none.
func (v Value) Items() (items []Value, ok bool) {
	v.Shape().List()
	if v.isStandIn {
		return []Value{v.standIn(v.Key + "[]")}, true
	}
	if v.Node.Kind != yaml.SequenceNode {
		return nil, false
	}
	for i, n := range v.Node.Content {
		path := fmt.Sprintf("%s[%d]", v.Key, i)
		if v.reader.Outline != nil {
			path = v.Key + "[]"
		}
		items = append(items, v.reader.value(n, n, path))
	}
	return items, true
}
