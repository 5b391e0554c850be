package main

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

// secretVariable holds the sealing key itself, in base64.
const secretVariable = "AUTHCOMPAT_SECRET_KEY"

// keyPlace says where a process finds the keys that seal tokens which are shown
// again: in the environment, in a file that is named, or, for an SQLite database,
// in a file beside it.
type keyPlace struct {
	file string // --secret-key-file
	dsn  string // --store
}

// path is the file in which the keys stand; empty if they stand in none.
func (k keyPlace) path() string {
	if _, ok := os.LookupEnv(secretVariable); ok {
		return ""
	}
	if k.file != "" {
		return k.file
	}
	if database, ok := store.SQLitePath(k.dsn); ok {
		return besideDatabase(database)
	}
	return ""
}

// besideDatabase is where the keys of a database file are: beside the file itself,
// by whichever link it is reached, unless there is a file beside the link.
func besideDatabase(path string) string {
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

// setting is what says where the keys are: a variable or a flag.
func (k keyPlace) setting() string {
	if _, ok := os.LookupEnv(secretVariable); ok {
		return secretVariable
	}
	if k.file != "" {
		return "--secret-key-file"
	}
	return "--store"
}

// look finds the keys. Where no place is given the sealer has none; where their
// file is missing the error is fs.ErrNotExist. Nothing is written.
func (k keyPlace) look() (core.Sealer, error) {
	if text, ok := os.LookupEnv(secretVariable); ok {
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

// check tells what is wrong with the keys, as look does.
func (k keyPlace) check() error {
	_, err := k.look()
	return err
}

// read is look, with an error that names the setting.
func (k keyPlace) read() (core.Sealer, error) {
	sealer, err := k.look()
	if err != nil && k.setting() != "--store" {
		err = fmt.Errorf("%s: %w", k.setting(), err)
	}
	return sealer, err
}

// readOrNote is read for a command that goes on without the keys; it calls note
// with what is wrong where their file is missing.
func (k keyPlace) readOrNote(note func(error)) (core.Sealer, error) {
	sealer, err := k.read()
	if errors.Is(err, fs.ErrNotExist) {
		note(err)
		return core.Sealer{}, nil
	}
	return sealer, err
}

// errKeysLost is a missing key file of a database that holds sealed tokens. A
// new key would open none of them, and hide that.
var errKeysLost = errors.New("the database holds tokens that are sealed with its keys: bring it back")

// readOrMake is read for what has to seal. The file beside a database is made
// where that holds no sealed token; where it does, the error is errKeysLost. Of
// processes that make it at once all get the same key.
func (k keyPlace) readOrMake(ctx context.Context, admin core.Admin) (sealer core.Sealer, err error) {
	sealer, err = k.read()
	if !errors.Is(err, fs.ErrNotExist) || k.file != "" || admin == nil {
		return sealer, err
	}
	path := k.path()
	err = lockKeys(ctx, path, func(string) {}, func() error {
		var missing error
		if sealer, missing = k.read(); !errors.Is(missing, fs.ErrNotExist) {
			return missing // another process has made it
		}
		sealed, err := admin.SealKeys(ctx)
		if err != nil {
			return fmt.Errorf("look for sealed tokens: %w", err)
		}
		if len(sealed) > 0 {
			return fmt.Errorf("%w; %w", missing, errKeysLost)
		}
		if err := makeKeys(path); err != nil {
			return err
		}
		sealer, err = k.read()
		return err
	})
	return sealer, err
}
