package sqlite

import (
	"errors"
	"fmt"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/internal/dbfile"
)

// errIndexDamaged is the error of a store whose WAL-index was truncated or removed by
// somebody else. SQLite would read beyond its end, or use one that other processes do not
// share.
var errIndexDamaged = errors.New("the WAL-index (the database's file -shm) was truncated or removed while it was open: restart the servers that use it")

// checkIdentity fails once the file at the store's path is not the one that was opened, or
// its WAL-index is damaged. It costs two system calls.
func (s *Store) checkIdentity() error {
	if err := s.checkIndex(); err != nil {
		return err
	}
	if !s.opened.Replaced() {
		return nil
	}
	return s.breakWith(dbfile.ErrReplaced)
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
