package conformancecmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles/smallfile"
)

// giveProfile is what to do with a profile that is given as an exchange file.
const giveProfile = "give it with --profile"

// readGiven reads the file of --given.
func readGiven(ctx context.Context, path string) (*conformance.Given, error) {
	data, err := smallfile.ReadAtMost(ctx, path, command.MaxExchangeFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--given %s: there is no such file: write into one what exchanges want, as users: {user1: {username: …, password: …}} and variables: {given1: …}", path)
	case err != nil:
		return nil, fmt.Errorf("--given %w", err)
	}
	return conformance.LoadGiven(path, data)
}

// builtinNames returns the names of the profiles for which exchange files are built in, for an error.
func builtinNames() string {
	return strings.Join(conformance.Profiles(), ", ")
}

// maxArchive is how large an HTTP archive may be, in bytes.
const maxArchive = 256 << 20

// readHAR reads an HTTP archive.
func readHAR(ctx context.Context, path string) ([]byte, error) {
	data, err := smallfile.ReadAtMost(ctx, path, maxArchive)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file: export the archive first", path)
	}
	return data, err
}
