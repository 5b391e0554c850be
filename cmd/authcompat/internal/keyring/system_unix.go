//go:build unix

package keyring

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
)

// newLock returns the lock of a key file. It is one on the directory, which exists before
// the file, stays when the file is replaced, and needs no lock file.
func newLock(path string) *flock.Flock {
	return flock.New(filepath.Dir(path), flock.SetFlag(os.O_RDONLY))
}

// keepOwner gives a file the owner, group and mode of the one that it is to replace. A
// group that can't be kept is no error where the mode grants it nothing.
func keepOwner(f *os.File, was fs.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	old, ok := was.Sys().(*syscall.Stat_t)
	mine, also := now.Sys().(*syscall.Stat_t)
	if !ok || !also {
		return errors.ErrUnsupported
	}
	if old.Uid != mine.Uid || old.Gid != mine.Gid {
		err := f.Chown(int(old.Uid), int(old.Gid))
		if err != nil && (old.Uid != mine.Uid || was.Mode().Perm()&0o070 != 0) {
			return err
		}
	}
	return f.Chmod(was.Mode().Perm())
}

// giveToOwner gives a file that root has created to the owner of another one. A root that may
// give nothing away, as in some containers, keeps it.
func giveToOwner(f *os.File, of string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(of)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
		if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// syncDirectory writes the names of a directory to disk.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}
