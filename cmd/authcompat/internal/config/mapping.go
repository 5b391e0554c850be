package config

import (
	"context"
	"errors"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/profiles/yamlfile"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
)

// mappingFormat is the format of files with a mapping.
func mappingFormat() yamlfile.Format {
	return yamlfile.Format{
		MaxValues: 10_000, MaxDepth: 10,
		TooMany: "more than %d values", TooDeep: "nested deeper than %d levels",
		Empty: "the file is empty", Second: "a second document begins here",
	}
}

// ReadMapping reads a file that says what is what in a Django database, with the keys of
// [tables.Mapping]; a path that is empty, or an empty file, stands for the empty mapping.
// The error has all problems with their positions, one a line, or names the file.
func ReadMapping(ctx context.Context, path string) (tables.Mapping, error) {
	if path == "" {
		return tables.Mapping{}, nil
	}
	data, err := smallfile.Read(ctx, path)
	if err != nil {
		return tables.Mapping{}, err
	}
	return parseMapping(path, data)
}

// parseMapping reads the text of a file with a mapping.
func parseMapping(path string, data []byte) (m tables.Mapping, err error) {
	r := yamlfile.Reader{File: path, Format: mappingFormat()}
	root, ok := r.Read(data)
	if ok {
		readMapping(&m, root)
	} else if len(r.Problems) == 1 && r.Problems[0].Text == r.Format.Empty {
		return m, nil
	}
	if len(r.Problems) > 0 {
		return m, r.Problems
	}
	return m, nil
}

// readMapping reads the keys.
func readMapping(m *tables.Mapping, root yamlfile.Value) {
	texts := map[string]*string{
		"user_table": &m.UserTable, "id": &m.ID, "username": &m.Username, "email": &m.Email, "password": &m.Password,
		"active": &m.Active, "created": &m.Created, "username_case": &m.UsernameCase,
	}
	keys := []string{"user_table", "token_table", "id", "username", "email", "password", "active", "created", "attributes", "username_case", "defaults"}
	entries, ok := root.Entries()
	if !ok {
		root.Refuse("want a map")
	}
	for e := range entries {
		v := e.Value
		switch {
		case texts[e.Name] != nil:
			*texts[e.Name] = mappedText(v)
		case e.Name == "token_table":
			m.TokenTables = mappedNames(v)
		case e.Name == "attributes":
			m.Attributes = mappedTexts(v, "want a map of attributes with their columns")
		case e.Name == "defaults":
			m.Defaults = mappedTexts(v, "want a map of columns with their values")
		default:
			e.RefuseUnknown(keys...)
		}
		if e.Name == "username_case" && m.UsernameCase != "" && m.UsernameCase != "keep" && m.UsernameCase != "lower" {
			v.Refuse("%q is neither keep nor lower", m.UsernameCase)
		}
	}
}

// mappedText reads a text; one that is left out is empty.
func mappedText(v yamlfile.Value) string {
	switch {
	case v.IsNull():
		return ""
	case v.Node.Kind != yaml.ScalarNode:
		v.Refuse("want a text")
	}
	return v.Node.Value
}

// mappedNames reads a name, or a list of names.
func mappedNames(v yamlfile.Value) (names []string) {
	items, list := v.Items()
	if !list {
		items = []yamlfile.Value{v}
	}
	for _, item := range items {
		if name := mappedText(item); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// mappedTexts reads a map of texts. An empty map is not the same as none.
func mappedTexts(v yamlfile.Value, want string) map[string]string {
	entries, ok := v.Entries()
	if v.IsNull() {
		return nil
	}
	if !ok {
		v.Refuse("%s", want)
	}
	texts := map[string]string{}
	for e := range entries {
		texts[e.Name] = mappedText(e.Value)
	}
	return texts
}

// checkMapping reads the mapping, and checks that the store is one that takes it.
func (f *Server) checkMapping(ctx context.Context, found *section.Problems) {
	if f.Engine.Mapping == "" || found.Refused["map"] {
		return
	}
	if _, err := ReadMapping(ctx, f.Engine.Mapping); err != nil {
		var inside yamlfile.Problems
		if errors.As(err, &inside) {
			found.Lines = append(found.Lines, strings.Split(inside.Error(), "\n")...)
		} else {
			found.Add(f.source("map"), "%v", err)
		}
	}
	if err := store.AcceptsMapping(f.Engine.Store); err != nil && !found.Refused["store"] {
		found.Add(f.source("map"), "%v", err)
	}
}
