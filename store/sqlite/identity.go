package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

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

// writableByOthers are the permissions by which others than its owner may write a file.
const writableByOthers = 0o022

// Warnings implements [core.Warner].
func (s *Store) Warnings(context.Context) (warnings []string, err error) {
	info, err := os.Stat(s.file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", core.ErrUnavailable, reason(err))
	}
	// On Windows, the mode says only whether a file is read-only.
	if mode := info.Mode().Perm(); mode&writableByOthers != 0 && runtime.GOOS != "windows" {
		warnings = append(warnings, fmt.Sprintf("users of the system other than its owner may write the database file %s (mode %04o): chmod go-w", s.file, mode))
	}
	return warnings, nil
}
