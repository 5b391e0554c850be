package httpserver

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// tellsResets reports whether closed tells a reset from the end of the input.
const tellsResets = true

// closed reports whether a connection was reset, or closed here. The end of the peer's
// input alone does not close it (tcp(7), poll(2): POLLHUP).
func closed(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	over := false
	err = raw.Control(func(fd uintptr) { over = hungUp(fd, unix.Poll) })
	return over || err != nil
}

// hungUp asks poll whether a connection is over. Whatever keeps poll from saying so, as a
// signal may, does not end a connection.
func hungUp(fd uintptr, poll func([]unix.PollFd, int) (int, error)) bool {
	for {
		state := []unix.PollFd{{Fd: int32(fd)}}
		_, err := poll(state, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && state[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
	}
}
