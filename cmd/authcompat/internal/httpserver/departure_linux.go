package httpserver

import (
	"net"

	"golang.org/x/sys/unix"
)

// closed reports whether a connection was reset, or closed here. The end of the peer's
// input alone does not close it (tcp(7), poll(2): POLLHUP).
func closed(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	over := true
	err = raw.Control(func(fd uintptr) {
		state := []unix.PollFd{{Fd: int32(fd)}}
		if _, err := unix.Poll(state, 0); err == nil {
			over = state[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
		}
	})
	return over || err != nil
}
