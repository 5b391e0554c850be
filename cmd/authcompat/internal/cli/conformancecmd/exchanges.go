package conformancecmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// maxExchangeFile is how large an exchange file of one's own may be, in bytes. The largest that is
// built in has 34 kB.
const maxExchangeFile = 16 << 20

// A readError is that of an exchange file that can't be read as a file.
type readError struct{ error }

// Unwrap returns the cause.
func (e readError) Unwrap() error { return e.error }

// readExchanges reads an exchange file of the user's own. The error is a readError, or has all problems.
func readExchanges(ctx context.Context, path string) (*conformance.File, error) {
	data, err := smallfile.ReadAtMost(ctx, path, maxExchangeFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && isBuiltin(path):
		return nil, readError{fmt.Errorf("%s: there is no such file; the exchange file with that name is built in (authcompat conformance show %[1]s > FILE)", path)}
	case errors.Is(err, fs.ErrNotExist):
		return nil, readError{fmt.Errorf("%s: there is no such file: start one with authcompat conformance show NAME > %[1]s", path)}
	case err != nil:
		return nil, readError{err}
	}
	file, err := conformance.Load(path, data)
	if err != nil {
		if p, notProfile := profiles.Parse(path, data); notProfile == nil {
			return nil, readError{fmt.Errorf("%s: it is the profile %s and no exchange file: give it with --profile (authcompat profile check %[1]s checks it)", path, p.Name)}
		}
		return nil, err
	}
	if len(file.Exchanges) == 0 {
		return nil, yamlfile.Problems{{Position: yamlfile.Position{File: path}, Key: "exchanges", Text: "want one exchange or more"}}
	}
	return file, nil
}

// readGiven reads the file of --given.
func readGiven(ctx context.Context, path string) (*conformance.Given, error) {
	data, err := smallfile.ReadAtMost(ctx, path, maxExchangeFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--given %s: there is no such file: write into one what exchanges want, as users: {user1: {username: …, password: …}} and variables: {given1: …}", path)
	case err != nil:
		return nil, fmt.Errorf("--given %w", err)
	}
	return conformance.LoadGiven(path, data)
}

// isBuiltin reports whether an exchange file is built in for a profile.
func isBuiltin(name string) bool {
	_, _, err := conformance.Source(name)
	return err == nil
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
