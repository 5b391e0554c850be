package keyring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
)

// lockRetryInterval is how often a lock that another holds is tried.
const lockRetryInterval = 20 * time.Millisecond

// lock runs do while no other process changes the key file, or makes it. It
// waits for its turn, and calls waiting with the file once if it has to. The lock
// is one on the folder: it is there before the file, stays when the file is
// replaced, and ends with the process.
func lock(ctx context.Context, path string, waiting func(path string), do func() error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("lock sealing keys: %w", err)
	}
	defer folder.Close()
	for told := false; ; told = true {
		free, err := tryLock(folder)
		if err != nil {
			return fmt.Errorf("lock sealing keys: %s: %w", folder.Name(), err)
		}
		if free {
			return do()
		}
		if !told {
			waiting(path)
		}
		if !wait.For(ctx, lockRetryInterval) {
			return ctx.Err()
		}
	}
}

// tryLock takes the lock on an open folder, which ends when that is closed;
// false: another has it.
func tryLock(folder *os.File) (bool, error) {
	err := unix.Flock(int(folder.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return err == nil, err
}
