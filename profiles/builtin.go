package profiles

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

//go:embed *.yaml stacks/*.yaml
var builtin embed.FS

// Builtin gives the names of the built-in profiles, sorted.
func Builtin() []string { return names(builtin, ".") }

// Has tells whether Load gives a profile by that name without a file.
func Has(name string) bool { return embedded(name) != "" }

// embedded gives the path of the built-in profile with that name; empty: none.
func embedded(name string) string {
	if slices.Contains(Builtin(), name) {
		return name + ".yaml"
	}
	return ""
}

// names gives the names of the YAML files in a folder without their extension, sorted.
func names(files fs.FS, folder string) []string {
	// The pattern is well-formed, which is all that Glob can fail on.
	found, _ := fs.Glob(files, path.Join(folder, "*.yaml"))
	for i, name := range found {
		found[i] = strings.TrimSuffix(path.Base(name), ".yaml")
	}
	slices.Sort(found)
	return found
}

// Load gives the built-in profile with that name or, if there is none, the profile in
// the file with that path. The error is a *[Problems] if the file has any.
func Load(nameOrPath string) (*Profile, error) {
	return LoadContext(context.Background(), nameOrPath)
}

// LoadContext is Load that stops waiting for a file which is a pipe when ctx ends.
func LoadContext(ctx context.Context, nameOrPath string) (*Profile, error) {
	if file := embedded(nameOrPath); file != "" {
		data, err := builtin.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read built-in profile: %w", err)
		}
		return Parse(file, data)
	}
	data, err := ReadFile(ctx, nameOrPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &unknownError{nameOrPath, err}
	case err != nil:
		return nil, fmt.Errorf("read profile: %w", err)
	}
	return Parse(nameOrPath, data)
}

// unknownError is that of a name which is neither a built-in profile's nor a file's.
type unknownError struct {
	name string
	err  error // what opening the file gave
}

// Error implements error.
func (e *unknownError) Error() string {
	word := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(path.Base(e.name), ".yaml"), ".yml"))
	return fmt.Sprintf("profile %q is neither built in (%s) nor a file%s", e.name, strings.Join(Builtin(), ", "), yamlfile.DidYouMean(word, Builtin()))
}

// Unwrap returns what opening the file gave, which is [fs.ErrNotExist].
func (e *unknownError) Unwrap() error { return e.err }

// ReadFile reads the file of a profile for Parse: of a file that is too large, only as much
// as Parse needs to find that out. Reading a pipe ends with ctx.
func ReadFile(ctx context.Context, path string) ([]byte, error) {
	data, err := smallfile.Read(ctx, path)
	if errors.Is(err, smallfile.ErrTooLarge) {
		return data, nil
	}
	return data, err
}

// Source gives the text of the built-in profile with that name, and whether there is one.
func Source(name string) ([]byte, bool) {
	file := embedded(name)
	if file == "" {
		return nil, false
	}
	text, err := builtin.ReadFile(file)
	return text, err == nil
}
