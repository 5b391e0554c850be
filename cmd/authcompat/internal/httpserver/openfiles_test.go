package httpserver

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestConnectionsFitTheOpenFiles(t *testing.T) {
	for _, test := range []struct {
		files, shares, wanted int
		each, manage          int
	}{
		{1 << 20, 5, 0, 16384, 64},
		{1 << 20, 5, 100_000, 100_000, 64},
		{1 << 20, 1, 10_000_000, 1<<20 - 256 - 64, 64},
		{65536, 5, 0, 13043, 64},
		{1024, 5, 0, 140, 64},
		{1024, 5, 141, 140, 64},
		{1024, 5, 139, 139, 64},
		{1024, 1, 0, 704, 64},
		{256, 5, 0, 19, 32},
		{64, 5, 0, 4, 8},
		{8, 5, 0, 1, 1},
	} {
		if each, manage := divide(test.files, test.shares, test.wanted); each != test.each || manage != test.manage {
			t.Errorf("%d files, %d shares, %d wanted: %d for each, %d to manage; want %d, %d",
				test.files, test.shares, test.wanted, each, manage, test.each, test.manage)
		}
	}
}

// smallSystem has room for that many open connections.
type smallSystem struct {
	mu   sync.Mutex
	room int
}

// take changes the room, and reports whether there was any.
func (s *smallSystem) take(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room < n {
		return false
	}
	s.room -= n
	return true
}

// smallListener is a listener of a smallSystem.
type smallListener struct {
	net.Listener
	*smallSystem
	short error
}

type smallConn struct {
	net.Conn
	free func()
}

func (l *smallListener) Accept() (net.Conn, error) {
	if !l.take(1) {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: os.NewSyscallError("accept4", l.short)}
	}
	c, err := l.Listener.Accept()
	return &smallConn{c, sync.OnceFunc(func() { l.take(-1) })}, err
}

func (c *smallConn) Close() error {
	c.free()
	return c.Conn.Close()
}

// TestIdleConnectionsOfAllListenersMakeWay runs out of open files long before a listener has
// as many connections as it may: the connection that has been idle for longest makes way,
// whichever listener it is of, and what happens is logged once.
func TestIdleConnectionsOfAllListenersMakeWay(t *testing.T) {
	for _, short := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		t.Run(short.Error(), func(t *testing.T) {
			var log bytes.Buffer
			files := newFileShare(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
			system := &smallSystem{room: 3}
			listen := func() *tickListener {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				ticking := newTickListener(&smallListener{l, system, short}, time.Hour, newConnLimits(files, 16, 16, nil), func(net.Addr) {})
				t.Cleanup(func() { ticking.Close() })
				return ticking
			}
			accept := func(l *tickListener) (*tickConn, error) {
				t.Helper()
				client, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { client.Close() })
				c, err := l.Accept()
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { c.Close() })
				return c.(*tickConn), nil
			}
			flooded, other := listen(), listen()
			var open []*tickConn
			for _, l := range []*tickListener{flooded, flooded, other, other, other} {
				c, err := accept(l)
				if err != nil {
					t.Fatal(err)
				}
				open = append(open, c)
				if c.slot.setIdle(false); len(open) == 2 || len(open) == 3 {
					c.slot.setIdle(true)
				}
			}
			for i, c := range open {
				if err := c.SetReadDeadline(time.Unix(1, 0)); (err != nil) != (i == 1 || i == 2) {
					t.Errorf("connection %d: %v", i, err)
				}
			}
			_, err := accept(other)                  // all are busy
			var failed interface{ Temporary() bool } // which net/http asks for
			if !errors.As(err, &failed) || !failed.Temporary() || !errors.Is(err, short) {
				t.Errorf("none is idle: %v", err)
			}
			if got := log.String(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "LimitNOFILE") {
				t.Errorf("log:\n%s", got)
			}
		})
	}
}
