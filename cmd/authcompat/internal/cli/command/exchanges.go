package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// MaxExchangeFile is how large an exchange file of one's own may be, in bytes. The largest that is
// built in has 34 kB.
const MaxExchangeFile = 16 << 20

// An UnreadError is that of an exchange file that can't be read as a file.
type UnreadError struct{ error }

// Unwrap returns the cause.
func (e UnreadError) Unwrap() error { return e.error }

// ReadExchanges reads an exchange file of the user's own. The error is an UnreadError, or has all problems. Where the file is a
// profile, it has the advice.
func ReadExchanges(ctx context.Context, path, advice string) (*conformance.File, error) {
	data, err := smallfile.ReadAtMost(ctx, path, MaxExchangeFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && slices.Contains(conformance.Profiles(), path):
		return nil, UnreadError{fmt.Errorf("%s: there is no such file; the exchange file with that name is built in (authcompat conformance show %[1]s > FILE)", path)}
	case errors.Is(err, fs.ErrNotExist):
		return nil, UnreadError{fmt.Errorf("%s: there is no such file: start one with authcompat conformance show NAME > %[1]s", path)}
	case err != nil:
		return nil, UnreadError{err}
	}
	return parseExchanges(path, data, advice)
}

// ReadExchangesFrom is ReadExchanges of what comes from a reader, which is named as a file would be.
func ReadExchangesFrom(in io.Reader, name, advice string) (*conformance.File, error) {
	data, err := smallfile.ReadFrom(in, MaxExchangeFile)
	if err != nil {
		return nil, UnreadError{fmt.Errorf("%s: %w", name, err)}
	}
	return parseExchanges(name, data, advice)
}

func parseExchanges(path string, data []byte, advice string) (*conformance.File, error) {
	file, err := conformance.Load(path, data)
	if err != nil {
		if p, notProfile := profiles.Parse(path, data); notProfile == nil {
			return nil, UnreadError{fmt.Errorf("%s: it is the profile %s and no exchange file: %s (authcompat profile check %[1]s checks it)", path, p.Name, advice)}
		}
		return nil, err
	}
	if len(file.Exchanges) == 0 {
		return nil, yamlfile.Problems{{Position: yamlfile.Position{File: path}, Key: "exchanges", Text: "want one exchange or more"}}
	}
	return file, nil
}

// IsExchangeFile reports whether what can't be loaded as a profile is an exchange file, which many take for one, and for
// which profile.
func IsExchangeFile(ctx context.Context, path string) (profile string, ok bool) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", false // what came out of a pipe is gone
	}
	file, err := ReadExchanges(ctx, path, "")
	if err != nil {
		return "", false
	}
	return file.Profile, true
}
