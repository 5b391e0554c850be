//go:build !linux

package pgconn

import "syscall"

// noticeDeadPath leaves it to the system how long it waits for the other side.
func noticeDeadPath(string, string, syscall.RawConn) error { return nil }
