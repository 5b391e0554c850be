package server

import (
	"path/filepath"
	"testing"
)

func TestIsMountPoint(t *testing.T) {
	for path, want := range map[string]bool{"/proc": true, "/proc/version": false, filepath.Join(t.TempDir(), "none"): false} {
		if got := isMountPoint(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}
