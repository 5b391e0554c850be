package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Folder makes a temporary folder of the servant's for a server of a kind, which has the number of this process in its name. It
// removes those of processes that are gone: who was killed had no time to, and each has the files of a whole server.
func (s *Servant) Folder(kind string) (string, error) {
	begin := "authcompat-" + kind + "-"
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), begin+"*")) // the pattern is valid
	for _, folder := range left {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), begin), "-")
		if pid, err := strconv.Atoi(number); err == nil && isGone(pid) {
			_ = os.RemoveAll(folder) // maybe another test does it at the same time
		}
	}
	folder, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", begin, os.Getpid()))
	if err != nil {
		return "", err
	}
	if err := s.Give(folder); err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}
