//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFolder has a folder that a process left which is gone, one of this process, and one that is somebody else's.
func TestFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	gone := exec.Command(os.Args[0], "-test.run=^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	var none *Servant
	mine, err := none.Folder("x")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("authcompat-x-%d-", os.Getpid()); !strings.HasPrefix(filepath.Base(mine), want) {
		t.Errorf("%s, want one that begins with %s", mine, want)
	}
	kept := map[string]bool{mine: true}
	for name, keep := range map[string]bool{fmt.Sprintf("authcompat-x-%d-1", gone.Process.Pid): false, fmt.Sprintf("authcompat-y-%d-1", gone.Process.Pid): true, "authcompat-x-notes": true} {
		folder := filepath.Join(os.TempDir(), name)
		if err := os.MkdirAll(filepath.Join(folder, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		kept[folder] = keep
	}
	if _, err := none.Folder("x"); err != nil {
		t.Fatal(err)
	}
	for folder, keep := range kept {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) == keep {
			t.Errorf("%s is kept: %t, want %t", folder, !keep, keep)
		}
	}
}
