//go:build linux

package walindex_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/authcompat/authcompat/store/sqlite"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestClosingAStoreKeepsTheLocksOfOthers closes one of two stores on a file and runs
// the garbage collector: no descriptor of the WAL-index may be closed, because that
// would release SQLite's locks on it for the whole process.
func TestClosingAStoreKeepsTheLocksOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authcompat.db")
	sqlitetest.MustOpenFile(t, path)
	other, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := descriptors(t, path+"-shm")
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		runtime.GC()
	}
	if after := descriptors(t, path+"-shm"); after < before {
		t.Errorf("%d of %d descriptors of the WAL-index were closed", before-after, before)
	}
}

// descriptors counts the descriptors that this process has of a file.
func descriptors(t *testing.T, path string) (n int) {
	t.Helper()
	const folder = "/proc/self/fd"
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if to, err := os.Readlink(filepath.Join(folder, entry.Name())); err == nil && to == path {
			n++
		}
	}
	return n
}
