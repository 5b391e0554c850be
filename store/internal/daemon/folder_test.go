//go:build unix

package daemon

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFolder has a folder that a process left which is gone, one of this process, and some that nobody has locked.
func TestFolder(t *testing.T) {
	var none *Servant
	if os.Getenv("DAEMON_TEST_LEAVES") != "" {
		if _, err := none.Folder("x"); err != nil {
			t.Fatal(err)
		}
		os.Exit(0)
	}
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("DAEMON_TEST_LEAVES", "1")
	if out, err := exec.Command(os.Args[0], "-test.run=^TestFolder$").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "authcompat-x-*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("%q are left: %v", left, err)
	}
	keep := map[string]bool{left[0]: false}
	for _, name := range []string{"authcompat-x-12345", "authcompat-y-1", "other"} {
		folder := filepath.Join(os.TempDir(), name)
		if err := os.MkdirAll(filepath.Join(folder, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		keep[folder] = true
	}
	for range 3 {
		mine, err := none.Folder("x")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(mine, os.TempDir()) {
			t.Errorf("%s is not in %s", mine, os.TempDir())
		}
		keep[mine] = true
	}
	for folder, want := range keep {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) == want {
			t.Errorf("%s is kept: %t, want %t", folder, !want, want)
		}
	}
}
