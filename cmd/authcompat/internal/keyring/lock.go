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

// lockRetryInterval is how often a lock that another process holds is tried.
const lockRetryInterval = 20 * time.Millisecond

// lock runs do while no other process changes the key file, or makes it. It waits for
// its turn, and calls waiting with the file once if it has to. The lock ends with the
// process.
func lock(ctx context.Context, path string, waiting func(path string), do func() error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	l := newLock(path)
	for told := false; ; told = true {
		locked, err := l.TryLock()
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("lock sealing keys: %s: %w", l.Path(), err)
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
			err = errors.Join(err, fmt.Errorf("unlock sealing keys: %w", unlockErr))
		}
	}()
	return do()
}
