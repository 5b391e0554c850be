package pgconn

import (
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// deadPath is how long what was sent may remain without an acknowledgement by the other side's system, before the
// connection is given up. By itself Linux goes on for a quarter of an hour (tcp(7), tcp_retries2).
const deadPath = 30 * time.Second

// noticeDeadPath has the system end a connection whose path no longer exists, as when a firewall was started again and
// has forgotten it. A COMMIT has no deadline while its server can be reached by another connection: nothing else would
// ever end its wait for an answer. A server that lets it wait acknowledges what it is sent, and is not concerned.
func noticeDeadPath(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	return c.Control(func(fd uintptr) {
		// Where a system lacks the option, connections work without it.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadPath.Milliseconds()))
	})
}
