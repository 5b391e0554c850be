package daemon

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Attributes lets a process be the servant's, and sends it a signal when the thread that started it ends.
func (s *Servant) Attributes(end syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.credential(), Pdeathsig: end}
}

// RemoveSegment removes a System V shared memory segment, which the server may have removed itself.
func RemoveSegment(id int) { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) }
