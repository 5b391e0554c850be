package conformance

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed exchanges/*.yaml exchanges/examples/*.yaml
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
	return names
}

// Builtin returns the built-in exchange file of a profile, or an error that wraps ErrNoExchanges.
// Besides those that Profiles names, some example profiles have one.
func Builtin(profile string) (*File, error) {
	for _, folder := range []string{"exchanges/", "exchanges/examples/"} {
		name := folder + profile + ".yaml"
		if data, err := exchangeFiles.ReadFile(name); err == nil {
			return Load(name, data)
		}
	}
	return nil, fmt.Errorf("profile %s: %w", profile, ErrNoExchanges)
}
