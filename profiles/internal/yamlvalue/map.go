package yamlvalue

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// A Map is a map in a file that is being read. Asking for a key declares it; Done refuses the
// keys that were not declared.
type Map struct {
	Value
	Entries []yamlfile.Entry // in the order of the file
	Broken  bool             // not a map at all, which has been reported

	known  []string
	former []string // keys that have another name now, which has been reported
}

// Mapping reads the value as a map. Of a key that is there twice the first counts.
func (v Value) Mapping() *Map {
	v.Shape().Map()
	entries, ok := v.Entries()
	m := &Map{Value: v, Entries: slices.Collect(entries), Broken: !ok}
	switch {
	case !ok && v.IsNull():
		v.Want("a map, or {} to leave all to its defaults")
	case !ok:
		v.Want("a map")
	}
	return m
}

// declare makes a key known.
func (m *Map) declare(name string) {
	if !slices.Contains(m.known, name) {
		m.known = append(m.known, name)
	}
}

// Get gives the value of a key, if it is there.
func (m *Map) Get(name string) (Value, bool) {
	return m.get(name, false)
}

func (m *Map) get(name string, needed bool) (Value, bool) {
	m.declare(name)
	m.Shape().Ask(name, needed)
	for _, e := range m.Entries {
		if e.Name == name {
			return Of(e.Value), true
		}
	}
	if v, ok := m.StandIn(name); ok {
		return Of(v), true
	}
	return Value{}, false
}

// Need gives the value of a key that has to be there.
func (m *Map) Need(name string) (Value, bool) {
	v, ok := m.get(name, true)
	if !ok && !m.Broken {
		m.RefuseKey(name, "is missing")
	}
	return v, ok
}

// Forbid refuses a key that has no meaning in this place.
func (m *Map) Forbid(name, format string, args ...any) {
	m.declare(name)
	for _, e := range m.Entries {
		if e.Name == name {
			e.Refuse(format, args...)
		}
	}
}

// Renamed refuses the former name of a key, and says what the key is called now. Former
// names are not suggested for misspelt keys.
func (m *Map) Renamed(former, name string) {
	m.former = append(m.former, former)
	for _, e := range m.Entries {
		if e.Name == former {
			e.Refuse("is called %s now", name)
		}
	}
}

// Done refuses the keys that were not declared.
func (m *Map) Done() {
	m.Shape().Done()
	for _, e := range m.Entries {
		if slices.Contains(m.known, e.Name) || slices.Contains(m.former, e.Name) {
			continue
		}
		hint := "the keys here are " + List(m.known)
		if near := yamlfile.Nearest(e.Name, m.known); near != "" {
			hint = "did you mean " + near + "?"
		}
		e.Refuse("unknown key; %s", hint)
	}
}

// Optional reads a key's value, if it is there and good.
func Optional[T any](m *Map, name string, into *T, read func(Value) (T, bool)) bool {
	v, ok := m.Get(name)
	if s := v.Shape(); ok && s != nil {
		s.Standard(standard(*into))
	}
	return ok && Keep(v, into, read)
}

// Required reads a key's value, which has to be there.
func Required[T any](m *Map, name string, into *T, read func(Value) (T, bool)) bool {
	v, ok := m.Need(name)
	return ok && Keep(v, into, read)
}

// Keep reads a value, and keeps it if it is good.
func Keep[T any](v Value, into *T, read func(Value) (T, bool)) bool {
	got, ok := read(v)
	if ok {
		*into = got
	}
	return ok
}

// standard writes what a value is by default, if that is a word, a number or a truth value; 0 stands for none.
func standard(value any) string {
	text := fmt.Sprint(value)
	if d, ok := value.(time.Duration); ok {
		text = strings.TrimSuffix(strings.TrimPrefix(d.String(), "0s"), "0s")
	}
	if text == "0" || text == "*" || strings.ContainsAny(text, "[{<") {
		return ""
	}
	return text
}
