package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/sqlite"
)

// OpenTemp opens an empty store for temporary use. cleanup closes and removes it. dsn
// says where:
//
//	""            a file in the system's temporary folder
//	sqlite:PATH   a file of its own beside PATH, which is not touched
//	postgres://…  a schema of its own in the database
func OpenTemp(ctx context.Context, dsn string) (_ core.Store, cleanup func() error, err error) {
	if isPostgres(dsn) {
		s, cleanup, err := postgres.OpenTemp(ctx, dsn)
		if err != nil {
			return nil, nil, err // not s: it would be a non-nil interface
		}
		return s, cleanup, nil
	}
	parent := ""
	if dsn != "" {
		path, ok := SQLitePath(dsn)
		if !ok {
			return nil, nil, badDSN(dsn)
		}
		parent = filepath.Dir(path)
	}
	folder, err := os.MkdirTemp(parent, "authcompat-temp-")
	if err != nil {
		return nil, nil, fmt.Errorf("temporary store: %w", err)
	}
	s, err := sqlite.Open(ctx, filepath.Join(folder, "temp.db"), sqlite.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, func() error { return errors.Join(s.Close(), os.RemoveAll(folder)) }, nil
}
