package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/sqlite"
)

// OpenTemp opens an empty store for temporary use. cleanup closes and removes it. dsn
// says where:
//
//	""            a file in the system's temporary folder
//	sqlite:PATH   a file of its own beside PATH, which is not touched
//	postgres://…  a schema of its own in the database
//
// Nothing waits for the disk there: what is in the store ends with the process at the latest.
func OpenTemp(ctx context.Context, dsn string) (_ Backend, cleanup func() error, err error) {
	return openTemp(ctx, dsn, nil)
}

// Temps opens many stores for temporary use, as [OpenTemp] does, one after the other or at the same time. Those in
// SQLite files begin as copies of one, since a new file's tables take four times as long to make as all else.
type Temps struct {
	dsn string

	mu    sync.Mutex
	empty []byte // the file of a store with nothing in it; nil: none has been made yet
}

// NewTemps returns what opens stores where dsn says.
func NewTemps(dsn string) *Temps { return &Temps{dsn: dsn} }

// Open opens one more store. cleanup closes and removes it.
func (t *Temps) Open(ctx context.Context) (_ Backend, cleanup func() error, err error) {
	if isPostgres(t.dsn) {
		return OpenTemp(ctx, t.dsn)
	}
	empty, err := t.template(ctx)
	if err != nil {
		return Backend{}, nil, err
	}
	return openTemp(ctx, t.dsn, empty)
}

// template returns the file of an empty store.
func (t *Temps) template(ctx context.Context) (_ []byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.empty != nil {
		return t.empty, nil
	}
	folder, err := tempFolder(t.dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "empty.db")
	s, err := sqlite.Open(ctx, path, sqlite.Options{Unsynced: true})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // which copies all of the log into the file
		return nil, fmt.Errorf("temporary store: %w", err)
	}
	if t.empty, err = os.ReadFile(path); err != nil {
		return nil, fmt.Errorf("temporary store: %w", err)
	}
	return t.empty, nil
}

// openTemp opens a temporary store; one in an SQLite file begins with this content, if it is not nil.
func openTemp(ctx context.Context, dsn string, content []byte) (_ Backend, cleanup func() error, err error) {
	if isPostgres(dsn) {
		s, cleanup, err := postgres.OpenTemp(ctx, dsn)
		if err != nil {
			return Backend{}, nil, err
		}
		return postgresBackend(s), cleanup, nil
	}
	folder, err := tempFolder(dsn)
	if err != nil {
		return Backend{}, nil, err
	}
	s, err := openTempFile(ctx, filepath.Join(folder, "temp.db"), content)
	if err != nil {
		return Backend{}, nil, errors.Join(err, os.RemoveAll(folder))
	}
	return sqliteBackend(s), func() error { return errors.Join(s.Close(), os.RemoveAll(folder)) }, nil
}

// openTempFile opens a store in a new file with this content, if it is not nil.
func openTempFile(ctx context.Context, path string, content []byte) (*sqlite.Store, error) {
	if content != nil {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("temporary store: %w", err)
		}
	}
	return sqlite.Open(ctx, path, sqlite.Options{Unsynced: true})
}

// tempFolder makes a folder where a DSN of SQLite's says.
func tempFolder(dsn string) (string, error) {
	parent := ""
	if dsn != "" {
		path, ok := SQLitePath(dsn)
		if !ok {
			return "", badDSN(dsn)
		}
		if err := checkPath(path); err != nil {
			return "", err
		}
		parent = filepath.Dir(path)
	}
	folder, err := os.MkdirTemp(parent, "authcompat-temp-")
	if err != nil {
		return "", fmt.Errorf("temporary store: %w", err)
	}
	return folder, nil
}
