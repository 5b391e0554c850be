package conformance

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
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
		panic(err) // the folder is part of the program
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Builtin returns the built-in exchange file of a profile, or an error that wraps ErrNoExchanges.
func Builtin(profile string) (*File, error) {
	name := "exchanges/" + profile + ".yaml"
	data, err := exchangeFiles.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", profile, ErrNoExchanges)
	}
	return Load(name, data)
}
