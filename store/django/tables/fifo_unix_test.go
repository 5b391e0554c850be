//go:build unix

package tables

import (
	"path/filepath"
	"syscall"
	"testing"
)

// mustFifo returns a named pipe.
func mustFifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
