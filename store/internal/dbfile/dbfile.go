// Package dbfile notices that the file of an open SQLite database was replaced.
package dbfile

import (
	"errors"
	"io/fs"
	"os"
)

// ErrReplaced is the error of a store whose file is another one by now, or is gone: what
// it writes is lost, and what it reads is out of date.
var ErrReplaced = errors.New("the database file was replaced or removed while it was open: restart the servers that use it")

// File is the file of a database as it was before it was opened.
type File struct {
	path string
	info os.FileInfo // nil if there was none
}

// At returns the file that is at a path now.
func At(path string) File {
	info, err := os.Stat(path)
	if err != nil {
		info = nil // opening it says why
	}
	return File{path: path, info: info}
}

// Replaced reports whether another file is at the path by now, or none. It costs a system
// call. Other errors of the file system are left to SQLite.
func (f File) Replaced() bool {
	now, err := os.Stat(f.path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return f.info == nil || !os.SameFile(f.info, now)
}
