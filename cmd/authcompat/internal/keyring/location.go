// Package keyring finds, creates, replaces and reloads the keys that seal tokens which are
// shown again.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store"
)

// EnvVar names the environment variable that holds the sealing keys themselves, in
// base64, the newest first.
const EnvVar = "AUTHCOMPAT_SECRET_KEY"

// Location says where a process finds the sealing keys: in the environment, in a file that
// a setting names, or in a file beside an SQLite database.
type Location struct {
	File string // --secret-key-file; empty: none is named
	DSN  string // --store
}

// path returns the file that has the keys; empty if they are in no file.
func (k Location) path() string {
	if _, ok := os.LookupEnv(EnvVar); ok {
		return ""
	}
	if k.File != "" {
		return k.File
	}
	if database, ok := store.SQLitePath(k.DSN); ok {
		return beside(database, ".key")
	}
	return ""
}

// checkedPath is path for whoever reads or changes the file, and would show its name in errors.
func (k Location) checkedPath() (string, error) {
	path := k.path()
	if path == k.File && Misplaced(path) {
		return "", errMisplaced
	}
	return path, nil
}

// beside returns where the keys of a database file are, a file whose name ends in suffix:
// beside the file itself, even if the path is a symbolic link to it, unless there is a key
// file beside the link.
func beside(path, suffix string) string {
	keys := path + suffix
	if _, err := os.Lstat(keys); err == nil {
		return keys
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		info, err := os.Lstat(path)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return target + suffix
		}
	}
	return keys
}

// Setting returns the name of the setting that says where the keys are: EnvVar, or a flag
// with its dashes.
func (k Location) Setting() string {
	if _, ok := os.LookupEnv(EnvVar); ok {
		return EnvVar
	}
	if k.File != "" {
		return "--secret-key-file"
	}
	return "--store"
}

// Holder names, for people, what holds the keys: EnvVar, or a file that is there; empty if
// there are none.
func (k Location) Holder() string {
	if _, ok := os.LookupEnv(EnvVar); ok {
		return EnvVar
	}
	path := k.path()
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// read reads the keys. If there is no location the sealer has none; if their file is
// missing the error is fs.ErrNotExist. Nothing is written.
func (k Location) read(ctx context.Context) (sealing.Sealer, error) {
	if text, ok := os.LookupEnv(EnvVar); ok {
		keys, err := sealing.ParseKeys(text)
		if err != nil {
			return sealing.Sealer{}, err
		}
		return sealing.NewSealer(keys...)
	}
	path, err := k.checkedPath()
	if path == "" || err != nil {
		return sealing.Sealer{}, err
	}
	ring, err := readKeys(ctx, path)
	return ring.sealer, err
}

// Check reads the keys and creates none. The error says what is wrong with them; it is
// fs.ErrNotExist if their file is missing, and nil if there is no location.
func (k Location) Check(ctx context.Context) error {
	_, err := k.read(ctx)
	return err
}

// load is read, with an error that names the setting.
func (k Location) load(ctx context.Context) (sealing.Sealer, error) {
	sealer, err := k.read(ctx)
	if err != nil && k.Setting() != "--store" {
		err = fmt.Errorf("%s: %w", k.Setting(), err)
	}
	return sealer, err
}

// LoadOrWarn reads the keys for a command that can go on without them: if their file is
// missing, it calls warn with an error that says so and returns a sealer without keys. All
// other errors name the setting that says where the keys are.
func (k Location) LoadOrWarn(ctx context.Context, warn func(error)) (sealing.Sealer, error) {
	sealer, err := k.load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		warn(err)
		return sealing.Sealer{}, nil
	}
	return sealer, err
}

// errKeysLost is the error of a missing key file while the database holds sealed tokens. A
// new key could open none of them, and would hide the loss.
var errKeysLost = errors.New("the database holds tokens that are sealed with its keys: bring it back")

// LoadOrCreate reads the keys for a process that seals tokens. If the file beside a
// database is missing, it is created, unless the database holds sealed tokens: then the
// error says that the keys have to be restored. Processes that create it at the same time
// get the same key. No file is created if there is no location or admin is nil.
func (k Location) LoadOrCreate(ctx context.Context, admin core.Admin) (sealer sealing.Sealer, err error) {
	sealer, err = k.load(ctx)
	if !errors.Is(err, fs.ErrNotExist) || k.File != "" || admin == nil {
		return sealer, err
	}
	path := k.path()
	err = lock(ctx, path, func(string) {}, func() error {
		var missing error
		if sealer, missing = k.load(ctx); !errors.Is(missing, fs.ErrNotExist) {
			return missing // another process has made it
		}
		sealed, err := admin.SealKeys(ctx)
		if err != nil {
			return fmt.Errorf("look for sealed tokens: %w", err)
		}
		if len(sealed) > 0 {
			return fmt.Errorf("%w; %w", missing, errKeysLost)
		}
		database, _ := store.SQLitePath(k.DSN) // which path has found
		if err := createKeys(path, database); err != nil {
			return fmt.Errorf("make sealing key: %w", err)
		}
		sealer, err = k.load(ctx)
		return err
	})
	return sealer, err
}
