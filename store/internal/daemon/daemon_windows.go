package daemon

import (
	"errors"
	"os"
	"syscall"
)

// The signals that stop a process, and let it go on, which Windows does not have: sending them fails.
const (
	Stop     = syscall.Signal(0x7e)
	Continue = syscall.Signal(0x7f)
)

// Signal fails: there are no signals.
func Signal(int, syscall.Signal) error { return errors.ErrUnsupported }

// Attributes returns those of any process.
func (s *Servant) Attributes(syscall.Signal) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// RemoveSegment does nothing: what a killed server leaves stays until the machine restarts.
func RemoveSegment(int) {}

// lockFile does nothing.
func lockFile(*os.File) error { return nil }

// isLeft reports false: no server runs here that could have left anything.
func isLeft(string) bool { return false }
