// Package keyring finds, makes, replaces and reloads the keys that seal tokens which
// are shown again.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
)

// EnvVar names the environment variable that holds the sealing keys themselves, in
// base64, the newest first.
const EnvVar = "AUTHCOMPAT_SECRET_KEY"

// Location says where a process finds the keys that seal tokens which are shown
// again: in the environment, in a file that is named, or, for an SQLite database,
// in a file beside it.
type Location struct {
	File string // --secret-key-file; empty: none is named
	DSN  string // --store
}

// path is the file in which the keys stand; empty if they stand in none.
func (k Location) path() string {
	if _, ok := os.LookupEnv(EnvVar); ok {
		return ""
	}
	if k.File != "" {
		return k.File
	}
	if database, ok := store.SQLitePath(k.DSN); ok {
		return defaultPath(database)
	}
	return ""
}

// defaultPath is where the keys of a database file are: beside the file itself,
// by whichever link it is reached, unless there is a file beside the link.
func defaultPath(path string) string {
	beside := path + ".key"
	if _, err := os.Lstat(beside); err == nil {
		return beside
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		info, err := os.Lstat(path)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return target + ".key"
		}
	}
	return beside
}

// Setting names what says where the keys are: EnvVar, or a flag with its dashes.
func (k Location) Setting() string {
	if _, ok := os.LookupEnv(EnvVar); ok {
		return EnvVar
	}
	if k.File != "" {
		return "--secret-key-file"
	}
	return "--store"
}

// read reads the keys. Where no place is given the sealer has none; where their
// file is missing the error is fs.ErrNotExist. Nothing is written.
func (k Location) read() (core.Sealer, error) {
	if text, ok := os.LookupEnv(EnvVar); ok {
		keys, err := core.ParseKeys(text)
		if err != nil {
			return core.Sealer{}, err
		}
		return core.NewSealer(keys...)
	}
	path := k.path()
	if path == "" {
		return core.Sealer{}, nil
	}
	ring, err := readKeys(path)
	return ring.sealer, err
}

// Check reads the keys and makes none. The error says what is wrong with them; it is
// fs.ErrNotExist where their file is missing, and nil where no place is given.
func (k Location) Check() error {
	_, err := k.read()
	return err
}

// load is read, with an error that names the setting.
func (k Location) load() (core.Sealer, error) {
	sealer, err := k.read()
	if err != nil && k.Setting() != "--store" {
		err = fmt.Errorf("%s: %w", k.Setting(), err)
	}
	return sealer, err
}

// LoadOrWarn reads the keys for a command that goes on without them: where their file
// is missing it calls warn with an error that says so, and the sealer has no key. All
// other errors name the setting that says where the keys are.
func (k Location) LoadOrWarn(warn func(error)) (core.Sealer, error) {
	sealer, err := k.load()
	if errors.Is(err, fs.ErrNotExist) {
		warn(err)
		return core.Sealer{}, nil
	}
	return sealer, err
}

// errKeysLost is a missing key file of a database that holds sealed tokens. A
// new key would open none of them, and hide that.
var errKeysLost = errors.New("the database holds tokens that are sealed with its keys: bring it back")

// LoadOrCreate reads the keys for what has to seal. The file beside a database is made
// where that holds no sealed token; where it does, the error says that the keys are to
// be brought back. Of processes that make it at once all get the same key. Where no
// place is given, or admin is nil and the file is missing, none is made.
func (k Location) LoadOrCreate(ctx context.Context, admin core.Admin) (sealer core.Sealer, err error) {
	sealer, err = k.load()
	if !errors.Is(err, fs.ErrNotExist) || k.File != "" || admin == nil {
		return sealer, err
	}
	path := k.path()
	err = lock(ctx, path, func(string) {}, func() error {
		var missing error
		if sealer, missing = k.load(); !errors.Is(missing, fs.ErrNotExist) {
			return missing // another process has made it
		}
		sealed, err := admin.SealKeys(ctx)
		if err != nil {
			return fmt.Errorf("look for sealed tokens: %w", err)
		}
		if len(sealed) > 0 {
			return fmt.Errorf("%w; %w", missing, errKeysLost)
		}
		if err := createKeys(path); err != nil {
			return err
		}
		sealer, err = k.load()
		return err
	})
	return sealer, err
}
