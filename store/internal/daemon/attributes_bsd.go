//go:build unix && !linux

package daemon

import "syscall"

// Attributes lets a process be the servant's. One that outlives the test has to be ended by hand.
func (s *Servant) Attributes(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.credential()}
}

// RemoveSegment does nothing: what a killed server leaves stays until the machine restarts.
func RemoveSegment(int) {}
