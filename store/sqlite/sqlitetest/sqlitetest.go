// Package sqlitetest provides tests with a real SQLite store.
package sqlitetest

import (
	"path/filepath"
	"testing"

	"github.com/authcompat/authcompat/store/sqlite"
)

// MustOpen returns a store on a new file, both of which last until the test ends.
func MustOpen(tb testing.TB) *sqlite.Store {
	tb.Helper()
	return MustOpenFile(tb, filepath.Join(tb.TempDir(), "authcompat.db"))
}

// MustOpenFile returns a store on the file at path, which is created if necessary, and
// closes the store when the test ends. Stores on one file act like separate processes.
func MustOpenFile(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), path, sqlite.Options{})
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
