// Package section has what the readers of the sections of a configuration file share: where
// a value stands, the problems that were found, and the YAML that settings are printed as.
package section

import (
	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Option is a key of a section that has a single value.
type Option struct {
	Key, Value string // without a value, it is not set
	At         string // its position with its key; empty: it is not there
}

// NewOption returns the option that an entry sets.
func NewOption(e yamlfile.Entry) Option {
	return Option{Key: e.Name, Value: e.Value.Node.Value, At: Place(e.Value)}
}

// Keys returns the keys of options.
func Keys(options []*Option) []string {
	var keys []string
	for _, o := range options {
		keys = append(keys, o.Key)
	}
	return keys
}

// IsScalar reports whether a value is a string or a number.
func IsScalar(v yamlfile.Value) bool { return v.Node.Kind == yaml.ScalarNode && !v.IsNull() }

// Place returns the position of a value with its key.
func Place(v yamlfile.Value) string { return v.Position.String() + ": " + v.Key }

// Masked is shown instead of a secret.
const Masked = "***"

// Text returns a text as YAML.
func Text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// Scalars notes that a section has keys with a text or a number each, and no others than those that are noted. The
// first keys have to be there, as many as needed says.
func Scalars(v yamlfile.Value, needed int, keys ...string) {
	for i, key := range keys {
		v.Shape().Ask(key, i < needed)
		if standIn, ok := v.StandIn(key); ok {
			NoteScalar(standIn)
		}
	}
	v.Shape().Done()
}

// NoteScalar notes a text or a number.
func NoteScalar(v yamlfile.Value) {
	v.Shape().Text("")
	v.Shape().Number()
	v.Shape().Boolean()
}

// NoteKey notes a key of a section that a function reads or notes.
func NoteKey(v yamlfile.Value, key string, note func(yamlfile.Value)) {
	v.Shape().Ask(key, false)
	if standIn, ok := v.StandIn(key); ok {
		note(standIn)
	}
}

// NoteList notes a list, of whose items a function notes each.
func NoteList(note func(yamlfile.Value)) func(yamlfile.Value) {
	return func(v yamlfile.Value) {
		items, _ := v.Items()
		for _, item := range items {
			note(item)
		}
	}
}
