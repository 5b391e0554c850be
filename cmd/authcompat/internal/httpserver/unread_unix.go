//go:build unix

package httpserver

import (
	"net"

	"golang.org/x/sys/unix"
)

// discardUnread reads away what a client has sent, up to maxUnread bytes, before its connection is closed.
func discardUnread(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // fails only where the connection is closed
		var b [512]byte
		for range maxUnread / len(b) {
			if n, err := unix.Read(int(fd), b[:]); err != nil || n < len(b) {
				return
			}
		}
	})
}
