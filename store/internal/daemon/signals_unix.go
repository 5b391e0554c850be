//go:build unix

package daemon

import "syscall"

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

// isGone reports whether no process has the number.
func isGone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }
