package conformance

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed exchanges/*.yaml
var exchangeFiles embed.FS

// ErrNoExchanges means that no exchange file is built in for a profile.
var ErrNoExchanges = errors.New("no exchange file")

// Profiles returns the names of the profiles for which exchange files are built in, sorted.
func Profiles() []string {
	entries, err := fs.ReadDir(exchangeFiles, "exchanges")
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

// Source returns the text of the built-in exchange file of a profile, as it is, and its name in
// positions. The error wraps ErrNoExchanges if there is none.
func Source(profile string) (text []byte, name string, err error) {
	name = "exchanges/" + profile + ".yaml"
	text, err = exchangeFiles.ReadFile(name)
	if err != nil {
		return nil, "", fmt.Errorf("profile %s: %w", profile, ErrNoExchanges)
	}
	return text, name, nil
}

// Builtin returns the built-in exchange file of a profile, or an error that wraps ErrNoExchanges.
func Builtin(profile string) (*File, error) {
	data, name, err := Source(profile)
	if err != nil {
		return nil, err
	}
	return Load(name, data)
}
