package schema

import (
	"bytes"
	"embed"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed notes/*.yaml
var noteFiles embed.FS

// A note says what a key is for.
type note struct {
	Text    string `yaml:"text"`
	Default string `yaml:"default"` // in words, where the reader can't know it
	Example string `yaml:"example"` // in YAML, below the key that the example begins with
}

// notes are the notes of a kind of file, by the ends of paths that they are for.
type notes map[string]note

func readNotes(k Kind) (notes, error) {
	data, err := noteFiles.ReadFile("notes/" + string(k) + ".yaml")
	if err != nil {
		return nil, err
	}
	var n notes
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&n); err != nil {
		return nil, fmt.Errorf("notes of %s: %w", k, err)
	}
	return n, nil
}

// key returns the longest end of a path that there is a note for; empty: none.
func (n notes) key(path string) string {
	for key := path; ; {
		if _, ok := n[key]; ok {
			return key
		}
		_, rest, more := strings.Cut(key, ".")
		if !more {
			return ""
		}
		key = rest
	}
}

// of returns the note for a path.
func (n notes) of(path string) note { return n[n.key(path)] }

// Examples returns the examples of the notes, by their keys.
func (f *File) Examples() map[string]string {
	all := map[string]string{}
	for key, n := range f.notes {
		if n.Example != "" {
			all[key] = n.Example
		}
	}
	return all
}
