package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/sqlite"
)

// OpenScratch opens an empty store for a short use, and gives what closes and
// removes it:
//
//	""            a file in the system's temporary folder
//	sqlite:PATH   a file of its own beside PATH, which is not touched
func OpenScratch(ctx context.Context, dsn string) (core.Store, func() error, error) {
	parent := ""
	if dsn != "" {
		path, ok := SQLitePath(dsn)
		if !ok {
			return nil, nil, misunderstood(dsn)
		}
		parent = filepath.Dir(path)
	}
	folder, err := os.MkdirTemp(parent, "authcompat-scratch-")
	if err != nil {
		return nil, nil, fmt.Errorf("scratch store: %w", err)
	}
	s, err := sqlite.Open(ctx, filepath.Join(folder, "scratch.db"), sqlite.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, func() error { return errors.Join(s.Close(), os.RemoveAll(folder)) }, nil
}

// Describe names the store of a DSN for people, without any password in it.
func Describe(dsn string) string {
	if path, ok := SQLitePath(dsn); ok {
		return "SQLite file " + path
	}
	return "unknown store"
}
