package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// lockName is a file that the process which made a folder has locked for as long as it lives.
const lockName = "lock"

// Folder makes a temporary folder of the servant's for a server of a kind. It removes those that other processes have left which
// are gone: who was killed had no time to, and each has the files of a whole server.
func (s *Servant) Folder(kind string) (string, error) {
	pattern := "authcompat-" + kind + "-*"
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), pattern)) // the pattern is valid
	for _, folder := range left {
		if isLeft(filepath.Join(folder, lockName)) {
			_ = os.RemoveAll(folder) // maybe another test does it at the same time
		}
	}
	folder, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", err
	}
	if err := errors.Join(s.Give(folder), lock(folder)); err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}

// lock locks the folder's file until the process ends.
func lock(folder string) error {
	f, err := os.CreateTemp(folder, lockName)
	if err != nil {
		return err
	}
	held.Lock()
	held.files = append(held.files, f)
	held.Unlock()
	if err := lockFile(f); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(folder, lockName)) // it has its name once it is locked
}

// held are open: what collects garbage would close them.
var held struct {
	sync.Mutex
	files []*os.File
}
