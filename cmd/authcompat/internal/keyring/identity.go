package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/authcompat/authcompat/dialects/identity"
	"github.com/authcompat/authcompat/profiles/smallfile"
	"github.com/authcompat/authcompat/store"
)

// IdentityFile says where the keys are that sign the identities which an application behind a
// front is told.
type IdentityFile struct {
	File string // that a setting names; empty: none is named
	DSN  string // --store
}

// ErrNoIdentityFile is the error of a store beside which there can be no file.
var ErrNoIdentityFile = errors.New("no file is named, and beside this store there can be none: make one (openssl rand -base64 32, mode 0600), and name it with key_file")

// Path returns the file that has the keys: the one that is named, or one beside an SQLite
// database, of ours or of Django's; empty if there is neither.
func (k IdentityFile) Path() string {
	if k.File != "" {
		return k.File
	}
	if database, ok := store.DatabaseFile(k.DSN); ok {
		return beside(database, ".identity-key")
	}
	return ""
}

// Check reads the keys, and creates none. A file beside a database that is not there is no
// error: a start makes it. The sealing keys are no keys for this: they would have to be
// given to the application.
func (k IdentityFile) Check(ctx context.Context, sealing Location) error {
	_, err := k.read(ctx)
	if errors.Is(err, fs.ErrNotExist) && k.File == "" {
		return nil
	}
	if err != nil {
		return err
	}
	mine, err := os.Stat(k.Path())
	if err != nil {
		return err
	}
	if theirs, err := os.Stat(sealing.path()); err == nil && os.SameFile(mine, theirs) {
		return fmt.Errorf("%s has the sealing keys, which the application must not have: name a file with other keys", k.Path())
	}
	return nil
}

// read reads the keys. If their file is missing the error is fs.ErrNotExist.
func (k IdentityFile) read(ctx context.Context) (identity.Keys, error) {
	path := k.Path()
	switch {
	case path == "":
		return identity.Keys{}, ErrNoIdentityFile
	case path == k.File && Misplaced(path):
		return identity.Keys{}, errors.New("this is the name of no file, and is not shown because it may be a key itself: want the name of a file that has it")
	}
	text, err := smallfile.Read(ctx, path)
	if err != nil {
		return identity.Keys{}, err
	}
	keys, err := identity.ParseKeys(string(text))
	if err != nil {
		return identity.Keys{}, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// RemoveUnfinished removes what a start has left beside a database that was killed while it made the keys.
func (k IdentityFile) RemoveUnfinished(ctx context.Context) error {
	if k.File != "" || k.Path() == "" {
		return nil
	}
	return removeUnfinished(ctx, k.Path())
}

// Load reads the keys. If the file beside a database is missing and make is true, it is made,
// with one key, readable for its owner alone; processes that make it at the same time get
// the same key. created is true if this one has made it.
func (k IdentityFile) Load(ctx context.Context, make bool) (keys identity.Keys, created bool, err error) {
	keys, err = k.read(ctx)
	if !errors.Is(err, fs.ErrNotExist) || k.File != "" || !make {
		return keys, false, err
	}
	path := k.Path()
	err = lock(ctx, path, func(string) {}, func() error {
		var missing error
		if keys, missing = k.read(ctx); !errors.Is(missing, fs.ErrNotExist) {
			return missing // another process has made it
		}
		database, _ := store.DatabaseFile(k.DSN) // which Path has found
		if err := createKeys(path, database); err != nil {
			return fmt.Errorf("make identity key: %w", err)
		}
		created = true
		keys, err = k.read(ctx)
		return err
	})
	return keys, created, err
}
