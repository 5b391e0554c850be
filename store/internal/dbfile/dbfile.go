// Package dbfile notices that files of an open SQLite database were replaced, or are damaged.
package dbfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core"
)

// ErrReplaced is the error of a store whose file is another one by now, or is gone: what
// it writes is lost, and what it reads is out of date.
var ErrReplaced = errors.New("the database file was replaced or removed while it was open: put the right one in its place, and restart the servers that use it")

// ErrEmptied is the error of a store whose file has lost its content.
var ErrEmptied = errors.New("the database file was emptied while it was open: stop the servers that use it, and restore a backup")

// ErrLogReplaced is the error of a store whose write-ahead log is another one by now, or is
// gone: what was written since the last checkpoint is in a file that nobody else finds.
var ErrLogReplaced = errors.New("the write-ahead log (the database's file -wal) was replaced or removed while it was open: restart the servers that use it")

// ErrIndexReplaced is the error of a store whose WAL-index is another one by now, or is gone:
// other processes do not see what this one writes, and overwrite it.
var ErrIndexReplaced = errors.New("the WAL-index (the database's file -shm) was replaced or removed while it was open: restart the servers that use it")

// ErrLinked is the error of a database with several names (hard links).
var ErrLinked = errors.New("the file has several names (hard links), and what is written under one of them is lost under the others, because SQLite keeps a write-ahead log beside each: remove all but the one that servers use")

// How often, and for how long, what may end by itself is looked at again: a file that is being
// put in place has two names for an instant.
const (
	lookEvery = 5 * time.Millisecond
	namesWait = 20 * lookEvery
)

// CheckNames fails with ErrLinked if a database has several names.
func CheckNames(path string) error {
	return endsWithin(namesWait, ErrLinked, func() bool {
		info, err := os.Stat(path)
		return err == nil && names(info) > 1 // if there is none, opening it says what is wrong
	})
}

// endsWithin fails if there is still a problem after a time.
func endsWithin(limit time.Duration, problem error, there func() bool) error {
	for began := time.Now(); there(); time.Sleep(lookEvery) {
		if time.Since(began) > limit {
			return problem
		}
	}
	return nil
}

// IsEmpty reports whether a file is there and has nothing in it.
func IsEmpty(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}

// HasLog reports whether there is a write-ahead log beside a database that has anything in it.
// The log of a new database comes after its first page. SQLite looks for it beside the file
// that a link leads to.
func HasLog(file string) bool {
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	info, err := os.Stat(file + "-wal")
	return err == nil && info.Size() > 0
}

// Files are the files of a database as they were when it was opened. They may be used by
// several goroutines at once.
type Files struct {
	database file
	held     *os.File               // the database; nil: the system can't hold it
	beside   atomic.Pointer[beside] // nil: not known
	broken   atomic.Pointer[error]  // what Check returns from now on; nil: nothing is wrong yet
}

// beside are the files that SQLite keeps beside a database in write-ahead mode.
type beside struct {
	path       string // of the database, without links
	log, index file
	content    *os.File // of the log, wherever it is; SQLite has no lock on it that a close would release
}

// file is a file as it was; without info, there was none.
type file struct {
	path string
	info os.FileInfo
}

// At returns the file that is at a path now, before it is opened.
func At(path string) *Files {
	f := &Files{held: hold(path), database: at(path)}
	if f.held != nil {
		if info, err := f.held.Stat(); err == nil {
			f.database.info = info // of that one, if it was replaced in between
		}
	}
	return f
}

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
	b := &beside{path: database, log: at(database + "-wal"), index: at(database + "-shm")}
	if b.log.info == nil || b.index.info == nil {
		return
	}
	if content, err := os.Open(b.log.path); err == nil {
		b.content = content
	}
	f.beside.Store(b)
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

// IsBeingMoved reports whether the database that was opened has no name any more, and nothing has
// its name: who moves files to another file system copies and removes one after the other, and the
// copy of the database lacks what is in the log. It never does where the system can't tell.
func (f *Files) IsBeingMoved() bool {
	if f.held == nil {
		return false
	}
	if info, err := f.held.Stat(); err != nil || names(info) > 0 {
		return false
	}
	_, err := os.Lstat(f.database.path)
	return errors.Is(err, fs.ErrNotExist)
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
