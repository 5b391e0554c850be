package sqlite

import (
	"testing"

	"golang.org/x/sys/unix"
)

// forgetOwner makes a log one that does not say whose it is, as where the file system takes no
// attributes.
func forgetOwner(t *testing.T, path string) {
	t.Helper()
	if err := unix.Removexattr(path+"-wal", "user.authcompat.database"); err != nil && err != unix.ENOTSUP && err != unix.ENODATA {
		t.Fatal(err)
	}
}
