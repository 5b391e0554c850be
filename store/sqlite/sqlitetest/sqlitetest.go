// Package sqlitetest provides tests with a real SQLite store.
package sqlitetest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/authcompat/authcompat/store/sqlite"
)

// MustOpen returns a store on a new file, both of which last until the test ends.
func MustOpen(tb testing.TB) *sqlite.Store {
	tb.Helper()
	return MustOpenFile(tb, filepath.Join(tb.TempDir(), "authcompat.db"))
}

// MustOpenFile returns a store on the file at path, which is created if necessary, and
// closes the store when the test ends. Stores on one file act like separate processes. A new file
// is a copy of one that was made by migrations, which take most of the time of many tests, and none waits for
// the disk.
func MustOpenFile(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		empty, err := empty(tb)
		if err == nil {
			err = os.WriteFile(path, empty, 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	s, err := sqlite.Open(tb.Context(), path, sqlite.Options{Unsynced: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// made is the file of a store with nothing in it, once a test has asked for it.
var made struct {
	sync.Mutex
	file []byte
}

// empty returns the file of a store with nothing in it.
func empty(tb testing.TB) ([]byte, error) {
	made.Lock()
	defer made.Unlock()
	if made.file != nil {
		return made.file, nil
	}
	path := filepath.Join(tb.TempDir(), "empty.db")
	s, err := sqlite.Open(tb.Context(), path, sqlite.Options{Unsynced: true})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // which copies all of the log into the file
		return nil, err
	}
	made.file, err = os.ReadFile(path)
	return made.file, err
}
