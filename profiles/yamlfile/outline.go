package yamlfile

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// An Outline is what the reader of a kind of file asks for, noted while it reads. A reader that has one finds
// in every key that is not in the file a stand-in for any value, so that it asks for all that the key could
// hold. Its problems mean nothing. The schemas of files are made of their readers so, and can't differ from them.
type Outline struct {
	Shapes map[string]*Shape // by the path of their keys; "*" stands for a key of any name, "[]" for an item

	// Pass names the reading that goes on, of several that each fill in something else.
	Pass string
}

// NewOutline returns an outline with nothing in it.
func NewOutline() *Outline { return &Outline{Shapes: map[string]*Shape{}} }

// A Shape is what one value of a file can be. The methods of one that is nil, where nothing is noted, do nothing.
type Shape struct {
	Types  []string // those of JSON
	Values []string // words, if nothing else is taken
	// Least and Most are the bounds of a whole number; nil: none.
	Least, Most *int
	Pattern     string   // of a text: a regular expression; empty: none
	Description string   // empty: the reader says nothing
	Keys        []string // of a map, in the order in which the reader asks for them
	Closed      bool     // a map that has no other keys

	defaults []string // all that were noted

	passes map[string]int             // by pass: how often the map was read
	asked  map[string]map[string]bool // by key: the passes in which it was asked for
	needed map[string]map[string]bool // by key: the passes in which it had to be there

	pass string
}

// wildcard is the name of a key that stands for any.
const wildcard = "*"

// Shape returns where it is noted what the value can be; nil: nothing is noted.
func (v Value) Shape() *Shape {
	if v.reader == nil || v.reader.Outline == nil {
		return nil
	}
	o := v.reader.Outline
	s := o.Shapes[v.Key]
	if s == nil {
		s = &Shape{passes: map[string]int{}, asked: map[string]map[string]bool{}, needed: map[string]map[string]bool{}}
		o.Shapes[v.Key] = s
	}
	s.pass = o.Pass
	return s
}

// StandIn returns the value that stands for any, of a key that is not in the file; ok is false where nothing is noted.
func (v Value) StandIn(name string) (standIn Value, ok bool) {
	if v.Shape() == nil {
		return Value{}, false
	}
	return v.standIn(v.join(name)), true
}

func (v Value) standIn(path string) Value {
	return Value{reader: v.reader, Node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: ""}, Position: v.Position, Key: path, isStandIn: true}
}

func (s *Shape) add(kind string) {
	if s != nil && !slices.Contains(s.Types, kind) {
		s.Types = append(s.Types, kind)
	}
}

// Text notes a text, which a pattern describes if it is not empty.
func (s *Shape) Text(pattern string) {
	if s == nil {
		return
	}
	s.add("string")
	if s.Pattern = pattern; pattern == "" {
		s.Values = nil
	}
}

// Words notes the words of a closed set.
func (s *Shape) Words(words ...string) {
	if s == nil || slices.Contains(s.Types, "string") && s.Values == nil {
		return
	}
	s.add("string")
	for _, w := range words {
		if !slices.Contains(s.Values, w) {
			s.Values = append(s.Values, w)
		}
	}
}

// Only notes the words of a closed set, and that nothing else is taken, whatever was noted before.
func (s *Shape) Only(words ...string) {
	if s != nil {
		s.Types, s.Values, s.Pattern = []string{"string"}, words, ""
	}
}

// Integer notes a whole number from least to most. Of two the wider bounds count.
func (s *Shape) Integer(least, most int) {
	if s == nil {
		return
	}
	s.add("integer")
	if s.Least == nil || least < *s.Least {
		s.Least = &least
	}
	if s.Most == nil || most > *s.Most {
		s.Most = &most
	}
}

// Number notes any number.
func (s *Shape) Number() { s.add("number") }

// Boolean notes true or false.
func (s *Shape) Boolean() { s.add("boolean") }

// Null notes null.
func (s *Shape) Null() { s.add("null") }

// List notes a list.
func (s *Shape) List() { s.add("array") }

// Anything notes a value of any type.
func (s *Shape) Anything() {
	for _, kind := range []string{"object", "array", "string", "number", "boolean", "null"} {
		s.add(kind)
	}
}

// Describe notes what the value is for.
func (s *Shape) Describe(text string) {
	if s != nil {
		s.Description = text
	}
}

// Standard notes what the value is where it is left out, as it is written in a file.
func (s *Shape) Standard(text string) {
	if s != nil && !slices.Contains(s.defaults, text) {
		s.defaults = append(s.defaults, text)
	}
}

// Default returns what the value is where it is left out; empty: nothing, or it depends on what else is in the file.
func (s *Shape) Default() string {
	if len(s.defaults) != 1 {
		return ""
	}
	return s.defaults[0]
}

// Map notes a map.
func (s *Shape) Map() { s.add("object") }

// Done notes that a map has no other keys than those that were asked for.
func (s *Shape) Done() {
	if s != nil {
		s.Map()
		s.Closed = true
		s.passes[s.pass]++
	}
}

// Ask notes that a map can have a key, or needs it.
func (s *Shape) Ask(key string, needed bool) {
	if s == nil {
		return
	}
	if !slices.Contains(s.Keys, key) {
		s.Keys = append(s.Keys, key)
		s.asked[key], s.needed[key] = map[string]bool{}, map[string]bool{}
	}
	s.asked[key][s.pass] = true
	if needed {
		s.needed[key][s.pass] = true
	}
}

// Required returns the keys that a map needs whatever else the file says.
func (s *Shape) Required() []string {
	var keys []string
	for _, key := range s.Keys {
		if len(s.passes) > 0 && len(s.needed[key]) >= len(s.passes) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Asked returns the passes in which a map had a key, and those in which it was read at all.
func (s *Shape) Asked(key string) (asked, read []string) {
	for pass := range s.asked[key] {
		asked = append(asked, pass)
	}
	for pass := range s.passes {
		read = append(read, pass)
	}
	slices.Sort(asked)
	slices.Sort(read)
	return asked, read
}
