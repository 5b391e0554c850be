// Package dbfile notices that files of an open SQLite database were replaced, or are damaged.
package dbfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/authcompat/authcompat/core"
)

// ErrReplaced is the error of a store whose file is another one by now, or is gone: what
// it writes is lost, and what it reads is out of date.
var ErrReplaced = errors.New("the database file was replaced or removed while it was open: restart the servers that use it")

// ErrEmptied is the error of a store whose file has lost its content.
var ErrEmptied = errors.New("the database file was emptied while it was open: stop the servers that use it, and restore a backup")

// ErrLogReplaced is the error of a store whose write-ahead log is another one by now, or is
// gone: what was written since the last checkpoint is in a file that nobody else finds.
var ErrLogReplaced = errors.New("the write-ahead log (the database's file -wal) was replaced or removed while it was open: restart the servers that use it")

// ErrIndexReplaced is the error of a store whose WAL-index is another one by now, or is gone:
// other processes do not see what this one writes, and overwrite it.
var ErrIndexReplaced = errors.New("the WAL-index (the database's file -shm) was replaced or removed while it was open: restart the servers that use it")

// Files are the files of a database as they were when it was opened. They may be used by
// several goroutines at once.
type Files struct {
	database file
	beside   atomic.Pointer[beside] // nil: not known
	broken   atomic.Pointer[error]  // what Check returns from now on; nil: nothing is wrong yet
}

// beside are the files that SQLite keeps beside a database in write-ahead mode.
type beside struct{ log, index file }

// file is a file as it was; without info, there was none.
type file struct {
	path string
	info os.FileInfo
}

// At returns the file that is at a path now, before it is opened.
func At(path string) *Files { return &Files{database: at(path)} }

func at(path string) file {
	info, err := os.Stat(path)
	if err != nil {
		info = nil // opening it says why
	}
	return file{path, info}
}

// Attach adds the log and the index that are beside a database now. The path is that of the
// file itself, without links. The caller has a connection open that has read from the
// database in write-ahead mode: nobody removes them while there is one.
func (f *Files) Attach(database string) {
	b := &beside{at(database + "-wal"), at(database + "-shm")}
	if b.log.info != nil && b.index.info != nil {
		f.beside.Store(b)
	}
}

// Attached reports whether Attach has found the log and the index.
func (f *Files) Attached() bool { return f.beside.Load() != nil }

// Check fails, from then on for good, once another file is at the path of one of the files,
// or none, or the database is empty: some connections may have the one open, some the other.
// The error is core.ErrUnavailable with one of this package's. Check costs up to three system
// calls. Other errors of the file system are left to SQLite.
func (f *Files) Check() error {
	if err := f.Broken(); err != nil {
		return err
	}
	if err := f.look(); err != nil {
		return f.Break(err)
	}
	return nil
}

// Broken returns the error of earlier calls of Check or Break; nil: there was none. It costs
// nothing.
func (f *Files) Broken() error {
	if broken := f.broken.Load(); broken != nil {
		return *broken
	}
	return nil
}

// Break makes Check fail from now on, with core.ErrUnavailable and the cause, unless it has
// failed already, and returns what it fails with.
func (f *Files) Break(cause error) error {
	err := fmt.Errorf("%w: %w", core.ErrUnavailable, cause)
	f.broken.CompareAndSwap(nil, &err)
	return f.Broken()
}

func (f *Files) look() error {
	size, replaced := f.database.look()
	if replaced {
		return ErrReplaced
	}
	b := f.beside.Load()
	if b == nil {
		return nil
	}
	if size == 0 { // one in write-ahead mode has a page at least
		return ErrEmptied
	}
	if _, replaced := b.index.look(); replaced {
		return ErrIndexReplaced
	}
	if _, replaced := b.log.look(); replaced {
		return ErrLogReplaced
	}
	return nil
}

// look returns the size of the file, in bytes, and whether it is another one than before, or
// gone. The size is negative if the system does not tell it.
func (f file) look() (size int64, replaced bool) {
	now, err := os.Stat(f.path)
	if err != nil {
		return -1, errors.Is(err, fs.ErrNotExist)
	}
	return now.Size(), f.info == nil || !os.SameFile(f.info, now)
}
