// Package newfile writes files that get their name when they are complete and on disk: a
// command that is interrupted or killed, or a full disk, leaves no part of one under it.
package newfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrExists is the error of a new file whose name another one has.
var ErrExists = errors.New("there is a file already")

// File is a new file. Until Place it has a temporary name, which is that of the embedded
// file, beside its own.
type File struct {
	*os.File
	path string
}

// Create begins a new file, of mode 0600, that is to have the name path. Whether there is
// one already is checked by Place alone. Errors don't have the path in them.
func Create(path string) (*File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the directory %q does not exist", filepath.Dir(path))
	}
	if err != nil {
		return nil, bare(err)
	}
	return &File{f, path}, nil
}

// Place closes the file and gives it its name, as the function Place does. If that fails
// the file is gone.
func (f *File) Place(replace bool) error {
	err := bare(f.Close())
	if err == nil {
		err = Place(f.Name(), f.path, replace)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Discard removes a file that was not placed. After Place it does nothing.
func (f *File) Discard() {
	if !errors.Is(f.Close(), fs.ErrClosed) {
		_ = os.Remove(f.Name())
	}
}

// Place syncs the closed file temp and gives it the name path, in the same directory. Unless
// it may replace another, it fails with ErrExists if there is one by now, a symbolic link
// included. Errors don't have the path in them.
func Place(temp, path string, replace bool) error {
	if err := sync(temp); err != nil {
		return bare(err)
	}
	if !replace {
		switch err := os.Link(temp, path); {
		case err == nil:
			_ = os.Remove(temp) // the file is there
			return syncDirectory(filepath.Dir(path))
		case errors.Is(err, fs.ErrExist):
			return ErrExists
		}
		// Some file systems have no links.
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return ErrExists
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return bare(err)
	}
	return syncDirectory(filepath.Dir(path))
}

// sync writes a file to disk. No connection of this process may have it open: SQLite would
// lose its locks.
func sync(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncDirectory writes the names of a directory to disk. Windows can't.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// bare returns an error without the path, which may be a temporary one.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
