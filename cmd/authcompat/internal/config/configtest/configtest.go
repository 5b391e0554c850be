// Package configtest resolves settings for the tests of package config and of those below it.
package configtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
)

// Resolve resolves the settings of a configuration file and of arguments. Errors are without
// the name of the file.
func Resolve(t *testing.T, text string, args ...string) (*config.Server, []config.BoundProfile, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, flags := config.NewServer(), pflag.NewFlagSet("", pflag.ContinueOnError)
	f.AddFlags(flags)
	if err := flags.Parse(append([]string{"--config", file, "--store", "sqlite:" + filepath.Join(t.TempDir(), "x.db")}, args...)); err != nil {
		t.Fatal(err)
	}
	all, err := f.Resolve(t.Context(), "")
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), file+":", ""))
	}
	return f, all, err
}
