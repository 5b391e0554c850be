//go:build unix

package daemon

import (
	"os"
	"syscall"
)

// The signals that stop a process, and let it go on.
const (
	Stop     = syscall.SIGSTOP
	Continue = syscall.SIGCONT
)

// Signal sends a signal to a process, which need not be a child.
func Signal(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }

// credential is the servant for the system.
func (s *Servant) credential() *syscall.Credential {
	if s == nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.gid)}
}

// lockFile locks an open file, which nobody else has.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// isLeft reports whether the file is there, and nobody has locked it.
func isLeft(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return lockFile(f) == nil
}
