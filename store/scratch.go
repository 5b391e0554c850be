package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/sqlite"
)

// OpenScratch opens an empty store for a short use, and gives what closes and
// removes it:
//
//	""            a file in the system's temporary folder
//	sqlite:PATH   a file of its own beside PATH, which is not touched
//	postgres://…  a schema of its own in the database
func OpenScratch(ctx context.Context, dsn string) (core.Store, func() error, error) {
	if isPostgres(dsn) {
		s, remove, err := postgres.OpenScratch(ctx, dsn)
		if err != nil {
			return nil, nil, err // not s, which would be an interface that is not nil
		}
		return s, remove, nil
	}
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
	if isPostgres(dsn) {
		return postgres.Describe(dsn)
	}
	if source, ok := strings.CutPrefix(dsn, schemeDjango); ok {
		return "Django's tables in " + django.Describe(source)
	}
	return "unknown store"
}
