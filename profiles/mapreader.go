package profiles

import (
	"slices"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// mapReader is a map in a file that is being read, in the order of the file. Asking for a key declares it;
// done refuses the keys that were not declared.
type mapReader struct {
	value
	entries []yamlfile.Entry
	known   []string
	former  []string // keys that have another name now, which has been reported
	broken  bool     // not a map at all, which has been reported
}

// mapping reads the value as a map. Of a key that is there twice the first counts.
func (v value) mapping() *mapReader {
	entries, ok := v.Entries()
	m := &mapReader{value: v, entries: slices.Collect(entries), broken: !ok}
	switch {
	case !ok && v.IsNull():
		v.want("a map, or {} to leave all to its defaults")
	case !ok:
		v.want("a map")
	}
	return m
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
		if e.Name == name {
			return value{e.Value}, true
		}
	}
	return value{}, false
}

// need gives the value of a key that has to be there.
func (m *mapReader) need(name string) (value, bool) {
	v, ok := m.get(name)
	if !ok && !m.broken {
		m.RefuseKey(name, "is missing")
	}
	return v, ok
}

// forbid refuses a key that has no meaning in this place.
func (m *mapReader) forbid(name, format string, args ...any) {
	m.declare(name)
	for _, e := range m.entries {
		if e.Name == name {
			e.Refuse(format, args...)
		}
	}
}

// renamed refuses the former name of a key, and says what the key is called now. Former
// names are not suggested for misspelt keys.
func (m *mapReader) renamed(former, name string) {
	m.former = append(m.former, former)
	for _, e := range m.entries {
		if e.Name == former {
			e.Refuse("is called %s now", name)
		}
	}
}

// done refuses the keys that were not declared.
func (m *mapReader) done() {
	for _, e := range m.entries {
		if slices.Contains(m.known, e.Name) || slices.Contains(m.former, e.Name) {
			continue
		}
		hint := "the keys here are " + list(m.known)
		if near := yamlfile.Nearest(e.Name, m.known); near != "" {
			hint = "did you mean " + near + "?"
		}
		e.Refuse("unknown key; %s", hint)
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
