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

// checkIdentity fails once the file at the store's path is not the one that was opened.
// It costs one system call. Other errors of the file system are left to SQLite.
func (s *Store) checkIdentity() error {
	if s.replaced.Load() {
		return fmt.Errorf("%w: %w", core.ErrUnavailable, errReplaced)
	}
	now, err := os.Stat(s.file)
	if err == nil && s.opened != nil && os.SameFile(s.opened, now) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s.replaced.Store(true)
	return fmt.Errorf("%w: %w", core.ErrUnavailable, errReplaced)
}
