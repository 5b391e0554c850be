// Package schema describes the files that authcompat reads: as JSON Schema for editors, as tables for docs, and key
// by key for the command line. What a file can hold comes from its reader (yamlfile.Outline), and what a key is for
// from the notes of this package.
package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// A Kind is a kind of file.
type Kind string

// The kinds.
const (
	Profile   Kind = "profile"
	Exchanges Kind = "exchanges"
	Config    Kind = "config"
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Profile, Exchanges, Config} }

// Names returns the names of all kinds.
func Names() (all []string) {
	for _, k := range Kinds() {
		all = append(all, string(k))
	}
	return all
}

// title is the title of a kind's schema.
func (k Kind) title() string {
	return map[Kind]string{Profile: "A profile of authcompat", Exchanges: "An exchange file of authcompat", Config: "A configuration file of authcompat"}[k]
}

// outline returns what the reader of the kind asks for.
func (k Kind) outline() *yamlfile.Outline {
	switch k {
	case Profile:
		return profiles.Outline()
	case Exchanges:
		return conformance.Outline()
	}
	return config.Outline()
}

// A File is what is known of a kind of file.
type File struct {
	kind   Kind
	shapes map[string]*yamlfile.Shape
	notes  notes
}

// Of returns what is known of a kind of file.
func Of(k Kind) (*File, error) {
	n, err := readNotes(k)
	if err != nil {
		return nil, err
	}
	return &File{kind: k, shapes: k.outline().Shapes, notes: n}, nil
}

// JSON returns the JSON Schema (2020-12), indented by two spaces. Whatever it refuses the reader refuses, too; the
// reader refuses more, which depends on several keys, and says it better.
func (f *File) JSON() ([]byte, error) {
	schema := f.value("")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = f.kind.title()
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(schema)
	return []byte(out.String()), err
}

// value returns the schema of the value at a path.
func (f *File) value(path string) map[string]any {
	s := f.shapes[path]
	if s == nil {
		return map[string]any{}
	}
	var forms []map[string]any
	for _, kind := range s.Types {
		forms = append(forms, f.form(path, s, kind))
	}
	schema := map[string]any{}
	switch {
	case len(forms) == 1:
		schema = forms[0]
	case plain(s):
		schema["type"] = s.Types
	default:
		schema["anyOf"] = forms
	}
	if text := f.describe(path); text != "" {
		schema["description"] = text
	}
	if d := f.literal(path); d != nil {
		schema["default"] = d
	}
	return schema
}

// plain tells whether a value of several types is described by these alone.
func plain(s *yamlfile.Shape) bool {
	return s.Pattern == "" && s.Values == nil && s.Least == nil && len(s.Keys) == 0 && !s.Closed && !slices.Contains(s.Types, "array")
}

// form returns the schema of the value at a path as far as it has a type.
func (f *File) form(path string, s *yamlfile.Shape, kind string) map[string]any {
	form := map[string]any{"type": kind}
	switch kind {
	case "string":
		if s.Values != nil {
			form["enum"] = s.Values
		}
		if s.Pattern != "" {
			form["pattern"] = s.Pattern
		}
	case "integer":
		form["minimum"], form["maximum"] = *s.Least, *s.Most
	case "array":
		if f.shapes[path+"[]"] != nil {
			form["items"] = f.value(path + "[]")
		}
	case "object":
		f.object(path, s, form)
	}
	return form
}

func (f *File) object(path string, s *yamlfile.Shape, form map[string]any) {
	properties := map[string]any{}
	for _, key := range s.Keys {
		properties[key] = f.value(join(path, key))
	}
	if len(properties) > 0 {
		form["properties"] = properties
	}
	if required := s.Required(); len(required) > 0 {
		form["required"] = required
	}
	any := join(path, wildcard)
	switch {
	case f.shapes[any] != nil:
		form["additionalProperties"] = f.value(any)
	case s.Closed:
		form["additionalProperties"] = false
	}
}

// wildcard stands for a key of any name in paths.
const wildcard = "*"

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// literal returns the default of the value at a path, if it is one word, number or truth value.
func (f *File) literal(path string) any {
	s := f.shapes[path]
	d := s.Default()
	if d == "" || f.notes.of(path).Default != "" {
		return nil
	}
	switch {
	case slices.Contains(s.Types, "boolean") && (d == "true" || d == "false"):
		return d == "true"
	case slices.Contains(s.Types, "string"):
		return d
	}
	var n json.Number
	if json.Unmarshal([]byte(d), &n) == nil {
		return n
	}
	return nil
}

// describe returns what the value at a path is for, and where it can be.
func (f *File) describe(path string) string {
	n := f.notes.of(path)
	text := n.Text
	if s := f.shapes[path]; text == "" && s != nil {
		text = s.Description
	}
	if n.Default != "" {
		text += "; default: " + n.Default
	}
	if only := f.only(path); only != "" {
		text += " (" + only + ")"
	}
	return text
}

// only says in which families, and of which actions, the key at a path is there; empty: always.
func (f *File) only(path string) string {
	parent, key := "", path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		parent, key = path[:i], path[i+1:]
	}
	s := f.shapes[parent]
	if s == nil || f.kind != Profile || !slices.Contains(s.Keys, key) {
		return ""
	}
	asked, read := s.Asked(key)
	var parts []string
	some, all := cut(asked, 0), cut(read, 0)
	if len(some) < len(all) {
		noun := "family "
		if len(some) > 1 {
			noun = "families "
		}
		parts = append(parts, noun+strings.Join(some, ", "))
	}
	some, all = cut(asked, 1), cut(read, 1)
	if len(some) < len(all) && len(some) <= 3 {
		parts = append(parts, "of "+strings.Join(some, ", "))
	}
	return strings.Join(parts, "; ")
}

// cut returns the parts of names of passes that are separated by slashes, each once.
func cut(passes []string, part int) []string {
	var names []string
	for _, p := range passes {
		name := strings.Split(p, "/")[part]
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Undescribed returns the paths that nothing is said of, and the notes that belong to no path: mistakes in the notes.
func (f *File) Undescribed() (paths, unused []string) {
	used := map[string]bool{}
	for path := range f.shapes {
		key := f.notes.key(path)
		used[key] = true
		if path != "" && f.notes.of(path).Text == "" && f.shapes[path].Description == "" {
			paths = append(paths, path)
		}
	}
	for key := range f.notes {
		if !used[key] {
			unused = append(unused, key)
		}
	}
	slices.Sort(paths)
	slices.Sort(unused)
	return paths, unused
}

// KindOf returns the kind with a name. The error names all.
func KindOf(name string) (Kind, error) {
	if slices.Contains(Kinds(), Kind(name)) {
		return Kind(name), nil
	}
	return "", fmt.Errorf("there is no schema %q: want %s%s", name, strings.Join(Names(), ", "), yamlfile.DidYouMean(name, Kinds()))
}
