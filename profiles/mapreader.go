package profiles

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// mapReader is a map in a file that is being read, in the order of the file. Asking for a key declares it;
// done refuses the keys that were not declared.
type mapReader struct {
	value
	entries []entry
	known   []string
	former  []string // keys that have another name now, which has been reported
	broken  bool     // not a map at all, which has been reported
}

type entry struct {
	name  string
	key   *yaml.Node
	value value
}

// mapping reads the value as a map. Of a key that is there twice the first counts.
func (v value) mapping() *mapReader {
	m := &mapReader{value: v}
	if v.node.Kind != yaml.MappingNode {
		m.broken = true
		if v.isNull() {
			v.want("a map, or {} to leave all to its defaults")
		} else {
			v.want("a map")
		}
		return m
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.node.Content[i]
		if !m.goodKey(key) {
			continue
		}
		if first, ok := lines[key.Value]; ok {
			v.reader.add(key.Line, key.Column, join(v.key, key.Value), "is there twice, first on line %d", first)
			continue
		}
		lines[key.Value] = key.Line
		m.entries = append(m.entries, entry{
			name:  key.Value,
			key:   key,
			value: v.reader.value(v.node.Content[i+1], key, join(v.key, key.Value)),
		})
	}
	return m
}

// goodKey tells whether a key is a text. A plain scalar that is not a text to YAML,
// such as null, is used as it is written.
func (m *mapReader) goodKey(key *yaml.Node) bool {
	switch {
	case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
		m.reader.add(key.Line, key.Column, m.key, "merge keys (<<) are not read: write the entries out, or alias a whole value")
	case key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0:
		m.reader.add(key.Line, key.Column, m.key, "a key has to be a text")
	case key.Value == "" && key.Style == 0:
		m.reader.add(key.Line, key.Column, m.key, "a key is missing before the colon")
	default:
		return true
	}
	return false
}

// declare makes a key known.
func (m *mapReader) declare(name string) {
	if !slices.Contains(m.known, name) {
		m.known = append(m.known, name)
	}
}

// get gives the value of a key, if it is there.
func (m *mapReader) get(name string) (value, bool) {
	m.declare(name)
	for _, e := range m.entries {
		if e.name == name {
			return e.value, true
		}
	}
	return value{}, false
}

// need gives the value of a key that has to be there.
func (m *mapReader) need(name string) (value, bool) {
	v, ok := m.get(name)
	if !ok && !m.broken {
		m.refuseKey(name, "is missing")
	}
	return v, ok
}

// forbid refuses a key that has no meaning in this place.
func (m *mapReader) forbid(name, format string, args ...any) {
	m.declare(name)
	for _, e := range m.entries {
		if e.name == name {
			m.reader.add(e.key.Line, e.key.Column, e.value.key, format, args...)
		}
	}
}

// renamed refuses the former name of a key, and says what the key is called now. Former
// names are not suggested for misspelt keys.
func (m *mapReader) renamed(former, name string) {
	m.former = append(m.former, former)
	for _, e := range m.entries {
		if e.name == former {
			m.reader.add(e.key.Line, e.key.Column, e.value.key, "is called %s now", name)
		}
	}
}

// done refuses the keys that were not declared.
func (m *mapReader) done() {
	for _, e := range m.entries {
		if slices.Contains(m.known, e.name) || slices.Contains(m.former, e.name) {
			continue
		}
		hint := "the keys here are " + list(m.known)
		if near := nearest(e.name, m.known); near != "" {
			hint = "did you mean " + near + "?"
		}
		m.reader.add(e.key.Line, e.key.Column, e.value.key, "unknown key; %s", hint)
	}
}

// optional reads a key's value, if it is there and good.
func optional[T any](m *mapReader, name string, into *T, read func(value) (T, bool)) bool {
	v, ok := m.get(name)
	return ok && keep(v, into, read)
}

// required reads a key's value, which has to be there.
func required[T any](m *mapReader, name string, into *T, read func(value) (T, bool)) bool {
	v, ok := m.need(name)
	return ok && keep(v, into, read)
}

func keep[T any](v value, into *T, read func(value) (T, bool)) bool {
	got, ok := read(v)
	if ok {
		*into = got
	}
	return ok
}
