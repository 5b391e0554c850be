package keyring

import (
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// newLock gives the lock of a key file, which is a file beside it: Windows locks no
// directories.
func newLock(path string) *flock.Flock { return flock.New(path + ".lock") }

// keepOwner leaves the owner alone: a new file inherits the rights of its directory.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

// syncDirectory does nothing: Windows can't flush a directory.
func syncDirectory(string) error { return nil }
