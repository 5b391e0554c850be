package keyring

import (
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// newLock returns the lock of a key file. It is a file beside it, because Windows can't
// lock a directory.
func newLock(path string) *flock.Flock { return flock.New(path + ".lock") }

// keepOwner leaves the owner alone: a new file inherits the rights of its directory.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

// giveToOwner leaves the owner alone: a new file inherits the rights of its directory.
func giveToOwner(*os.File, string) error { return nil }

// syncDirectory does nothing: Windows can't flush a directory.
func syncDirectory(string) error { return nil }
