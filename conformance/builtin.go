package conformance

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed exchanges/*.yaml exchanges/examples/*.yaml
var exchangeFiles embed.FS

// ErrNoExchanges means that no exchange file is built in for a profile.
var ErrNoExchanges = errors.New("no exchange file")

// Profiles returns the names of the profiles for which exchange files are built in, sorted.
func Profiles() []string { return builtinIn("exchanges") }

func builtinIn(folder string) []string {
	entries, err := fs.ReadDir(exchangeFiles, folder)
	if err != nil {
		panic(err) // the folder is embedded
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names) // knox.yaml comes behind knox-auth.yaml
	return names
}

// Examples returns the names of the examples for which exchange files are built in, too, sorted.
func Examples() []string { return builtinIn("exchanges/examples") }

// Source returns the text of the built-in exchange file of a profile, as it is, and its name in
// positions. The error wraps ErrNoExchanges if there is none.
func Source(profile string) (text []byte, name string, err error) {
	for _, folder := range []string{"exchanges/", "exchanges/examples/"} {
		name := folder + profile + ".yaml"
		if data, err := exchangeFiles.ReadFile(name); err == nil {
			return data, name, nil
		}
	}
	return nil, "", fmt.Errorf("profile %s: %w", profile, ErrNoExchanges)
}

// Builtin returns the built-in exchange file of a profile, or an error that wraps ErrNoExchanges.
// Besides those that Profiles names, some example profiles have one.
func Builtin(profile string) (*File, error) {
	data, name, err := Source(profile)
	if err != nil {
		return nil, err
	}
	return Load(name, data)
}
