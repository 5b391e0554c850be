// Package sqlitetest gives tests a real SQLite store.
package sqlitetest

import (
	"path/filepath"
	"testing"

	"github.com/authcompat/authcompat/store/sqlite"
)

// MustOpen returns a store on a fresh file, which ends with the test.
func MustOpen(tb testing.TB) *sqlite.Store {
	tb.Helper()
	return MustOpenFile(tb, filepath.Join(tb.TempDir(), "authcompat.db"))
}

// MustOpenFile returns a store on the file at path, made if need be, and closes it
// with the test. Stores on one file are to each other as two processes are.
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
