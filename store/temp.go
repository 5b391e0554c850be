package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/sqlite"
)

// OpenTemp opens an empty store for temporary use. cleanup closes and removes it. dsn
// says where:
//
//	""            a file in the system's temporary folder
//	sqlite:PATH   a file of its own beside PATH, which is not touched
//	postgres://…  a schema of its own in the database
func OpenTemp(ctx context.Context, dsn string) (_ Backend, cleanup func() error, err error) {
	if isPostgres(dsn) {
		s, cleanup, err := postgres.OpenTemp(ctx, dsn)
		if err != nil {
			return Backend{}, nil, err
		}
		return postgresBackend(s), cleanup, nil
	}
	parent := ""
	if dsn != "" {
		path, ok := SQLitePath(dsn)
		if !ok {
			return Backend{}, nil, badDSN(dsn)
		}
		if err := checkPath(path); err != nil {
			return Backend{}, nil, err
		}
		parent = filepath.Dir(path)
	}
	folder, err := os.MkdirTemp(parent, "authcompat-temp-")
	if err != nil {
		return Backend{}, nil, fmt.Errorf("temporary store: %w", err)
	}
	s, err := sqlite.Open(ctx, filepath.Join(folder, "temp.db"), sqlite.Options{})
	if err != nil {
		return Backend{}, nil, errors.Join(err, os.RemoveAll(folder))
	}
	return sqliteBackend(s), func() error { return errors.Join(s.Close(), os.RemoveAll(folder)) }, nil
}
