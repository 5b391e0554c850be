package keyring

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
)

// lockRetryInterval is how often a lock that another process holds is tried again.
const lockRetryInterval = 20 * time.Millisecond

// lock calls do while no other process can change or create the key file. If it has to
// wait for one, it calls waiting once with the file. The lock ends with the process.
func lock(ctx context.Context, path string, waiting func(path string), do func() error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	l := newLock(path)
	for told := false; ; told = true {
		locked, err := l.TryLock()
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("lock key file: %s: %w", l.Path(), err)
		}
		if locked {
			break
		}
		if !told {
			waiting(path)
		}
		if !wait.For(ctx, lockRetryInterval) {
			return ctx.Err()
		}
	}
	defer func() {
		if unlockErr := l.Unlock(); unlockErr != nil {
			err = errors.Join(err, fmt.Errorf("unlock key file: %w", unlockErr))
		}
	}()
	return do()
}
