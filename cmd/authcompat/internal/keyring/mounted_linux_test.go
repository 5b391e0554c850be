package keyring

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
)

// TestPruneOfAMountedFile removes keys from a file that can't be replaced, because it is mounted
// by itself: what was removed before is as it was, and nothing else is kept.
func TestPruneOfAMountedFile(t *testing.T) {
	if os.Geteuid() != 0 {
		testenv.Missing(t, "only root can mount")
	}
	w := newWorld(t)
	for range 2 {
		if _, err := w.rotate(t, Rotation{NewKey: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(w.file, w.file, "", syscall.MS_BIND, ""); err != nil {
		testenv.Missing(t, "can't mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(w.file, 0); err != nil {
			t.Error(err)
		}
	})
	earlier, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []string{"", earlier + "\n"} {
		if before != "" {
			if err := os.WriteFile(w.file+".old", []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.rotate(t, Rotation{Drop: true, Force: true}); !errors.Is(err, errMounted) {
			t.Fatalf("error %v", err)
		}
		after, err := os.ReadFile(w.file + ".old")
		if string(after) != before || (before == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d bytes are kept, want %d; %v", len(after), len(before), err)
		}
	}
}
