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

// IsScalar reports whether a value is a string or a number.
func IsScalar(v yamlfile.Value) bool { return v.Node.Kind == yaml.ScalarNode && !v.IsNull() }

// Place returns the position of a value with its key.
func Place(v yamlfile.Value) string { return v.Position.String() + ": " + v.Key }

// Masked is shown instead of a secret.
const Masked = "***"

// Text returns a text as YAML.
func Text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
