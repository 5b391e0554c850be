package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Reference returns the keys of the kind of file as tables in Markdown, in the order in which the reader asks for them.
func (f *File) Reference() string {
	var out strings.Builder
	out.WriteString("| key | value | default | |\n|---|---|---|---|\n")
	f.rows(&out, "")
	return out.String()
}

func (f *File) rows(out *strings.Builder, path string) {
	for _, key := range f.below(path) {
		s := f.shapes[key]
		if s == nil {
			continue
		}
		name := "`" + key + "`"
		if f.required(path, key) {
			name += " \\*"
		}
		text := f.notes.of(key).Text
		if text == "" {
			text = s.Description
		}
		if only := f.only(key); only != "" {
			text += " (" + only + ")"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", name, cell(f.values(key)), cell(f.standard(key)), cell(text))
		f.rows(out, key)
	}
}

// below returns the paths right below another one.
func (f *File) below(path string) []string {
	var paths []string
	if s := f.shapes[path]; s != nil {
		for _, key := range s.Keys {
			paths = append(paths, join(path, key))
		}
	}
	for _, any := range []string{path + "[]", join(path, wildcard)} {
		if f.shapes[any] != nil && !slices.Contains(paths, any) && any != "[]" {
			paths = append(paths, any)
		}
	}
	return paths
}

// required tells whether a key has to be there wherever what is above it is.
func (f *File) required(path, key string) bool {
	s := f.shapes[path]
	return s != nil && slices.Contains(s.Required(), strings.TrimPrefix(strings.TrimPrefix(key, path), "."))
}

// values says in words what the value at a path can be.
func (f *File) values(path string) string {
	s := f.shapes[path]
	var words []string
	if len(s.Types) == 6 {
		return "anything"
	}
	if scalar := []string{"string", "number", "boolean"}; s.Values == nil && s.Pattern == "" && slices.Equal(s.Types, scalar) {
		return "text"
	}
	for _, kind := range s.Types {
		words = append(words, f.word(s, kind))
	}
	return strings.Join(words, " or ")
}

func (f *File) word(s *yamlfile.Shape, kind string) string {
	switch kind {
	case "string":
		if s.Values != nil {
			return strings.Join(s.Values, ", ")
		}
		return "text"
	case "integer":
		return fmt.Sprintf("%d to %d", *s.Least, *s.Most)
	case "boolean":
		return "true, false"
	case "array":
		return "list"
	case "object":
		return "map"
	}
	return kind
}

// standard says in words what is where the key is left out.
func (f *File) standard(path string) string {
	if d := f.notes.of(path).Default; d != "" {
		return d
	}
	return f.shapes[path].Default()
}

// cell writes a text into a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// Explain returns all that is known of a key, which is written as a path of keys with dots. Where a file has names of its own
// (endpoints.login.path) any will do. The error says which keys there are.
func (f *File) Explain(key string) (string, error) {
	path, err := f.find(key)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if path != "" {
		f.explain(&out, path)
	}
	if below := f.below(path); len(below) > 0 {
		out.WriteString("keys:\n")
		for _, b := range below {
			mark := ""
			if f.required(path, b) {
				mark = " (required)"
			}
			fmt.Fprintf(&out, "  %s%s\n", b, mark)
		}
	}
	return out.String(), nil
}

func (f *File) explain(out *strings.Builder, path string) {
	n, s := f.notes.of(path), f.shapes[path]
	text := n.Text
	if text == "" {
		text = s.Description
	}
	fmt.Fprintf(out, "%s: %s\n", path, text)
	fmt.Fprintf(out, "values: %s\n", f.values(path))
	parent := ""
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		parent = path[:i]
	}
	if d := f.standard(path); f.required(parent, path) {
		out.WriteString("default: none, the key is required\n")
	} else if d != "" {
		fmt.Fprintf(out, "default: %s\n", d)
	}
	if only := f.only(path); only != "" {
		fmt.Fprintf(out, "only: %s\n", only)
	}
	if n.Example != "" {
		fmt.Fprintf(out, "example: %s\n", n.Example)
	}
}

// find returns the path that a key means.
func (f *File) find(key string) (string, error) {
	path := ""
	if key == "" {
		return "", nil
	}
	for _, name := range strings.Split(strings.ReplaceAll(key, "[", ".["), ".") {
		if strings.HasPrefix(name, "[") {
			name = "[]"
		}
		next := join(path, name)
		if name == "[]" {
			next = path + "[]"
		}
		if _, list := f.shapes[path+"[]"]; list && f.shapes[next] == nil && name != "[]" {
			path += "[]" // steps.request is that of an item
			next = join(path, name)
		}
		if f.shapes[next] == nil && name != "[]" {
			next = join(path, wildcard)
		}
		if f.shapes[next] == nil {
			return "", f.unknown(path, name)
		}
		path = next
	}
	return path, nil
}

// unknown is the error of a key that there is not below a path.
func (f *File) unknown(path, name string) error {
	at := "in a " + string(f.kind)
	if path != "" {
		at = "in " + path
	}
	s := f.shapes[path]
	if s == nil || len(s.Keys) == 0 {
		return fmt.Errorf("there are no keys %s", at)
	}
	if near := yamlfile.Nearest(name, s.Keys); near != "" {
		return fmt.Errorf("there is no key %q %s; did you mean %s?", name, at, near)
	}
	return fmt.Errorf("there is no key %q %s; the keys there are %s", name, at, strings.Join(s.Keys, ", "))
}
