package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/authcompat/authcompat/core"
)

// errReplaced is the error of a store whose file is another one by now, or is gone: what
// it writes is lost, and what it reads is out of date.
var errReplaced = errors.New("the database file was replaced or removed while it was open: restart the servers that use it")

// errIndexDamaged is the error of a store whose WAL-index was truncated or removed by
// somebody else. SQLite would read beyond its end, or use one that other processes do not
// share.
var errIndexDamaged = errors.New("the WAL-index (the database's file -shm) was truncated or removed while it was open: restart the servers that use it")

// checkIdentity fails once the file at the store's path is not the one that was opened, or
// its WAL-index is damaged. It costs two system calls. Other errors of the file system are
// left to SQLite.
func (s *Store) checkIdentity() error {
	if err := s.checkIndex(); err != nil {
		return err
	}
	now, err := os.Stat(s.file)
	if err == nil && s.opened != nil && os.SameFile(s.opened, now) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.breakWith(errReplaced)
}

// checkIndex fails once the store can't be used any more. It costs a system call, and comes
// before each use of SQLite: a WAL-index that is truncated between the two still ends the
// process, as it does for every program that uses SQLite.
func (s *Store) checkIndex() error {
	if broken := s.broken.Load(); broken != nil {
		return *broken
	}
	if index := s.cache.index.Load(); index != nil && !index.Intact() {
		return s.breakWith(errIndexDamaged)
	}
	return nil
}

// breakWith makes the store unusable, for good, and returns the error of all calls from now
// on.
func (s *Store) breakWith(cause error) error {
	err := fmt.Errorf("%w: %w", core.ErrUnavailable, cause)
	s.broken.CompareAndSwap(nil, &err)
	return *s.broken.Load()
}
