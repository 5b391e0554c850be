package pgconn

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDeadPathsAreNoticed checks that the system gives up connections of which nothing is acknowledged any more, and that sockets
// without such acknowledgements can be opened.
func TestDeadPathsAreNoticed(t *testing.T) {
	t.Parallel()
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		d := &dialer{deadline: time.Now().Add(time.Minute)}
		conn, err := d.DialContext(t.Context(), network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		tcp, ok := d.socket.(*net.TCPConn)
		if !ok {
			continue
		}
		raw, err := tcp.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var after int
		var failed error
		if err := raw.Control(func(fd uintptr) { after, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT) }); err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		if time.Duration(after)*time.Millisecond != deadPath {
			t.Errorf("it is given up after %d ms", after)
		}
	}
}
