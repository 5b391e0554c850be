package httpserver

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How many open files a process needs beside those of its connections, how many connections
// a listener accepts unless a setting says otherwise, and how many that of the management
// does.
const (
	otherFiles        = 256
	maxConnections    = 16384
	manageConnections = 64
)

// Connections returns how many connections each listener of an API may hold, if there are so
// many, and how many that of the management: the wanted number (0: 16384), or as many as
// the system's limit on open files, which is returned too, leaves them. None can use up
// what others need. fronts is how many of the listeners pass requests on to an application:
// such a request takes a second connection.
func Connections(listeners, fronts, wanted int) (each, manage, files int) {
	files = openFiles()
	each, manage = divide(files, listeners+fronts, wanted)
	return each, manage, files
}

// divide is Connections for a limit on open files, and so many shares.
func divide(files, shares, wanted int) (each, manage int) {
	if wanted == 0 {
		wanted = maxConnections
	}
	free := files - min(otherFiles, files/2)
	manage = max(1, min(manageConnections, free/4))
	return max(1, min(wanted, (free-manage)/max(1, shares))), manage
}

// perNetwork is how many of all connections of a listener one network may have: a quarter,
// but always as many as many clients behind one address need.
func perNetwork(all int) int {
	const share, always = 4, 1024
	return max(1, min(all, max(all/share, always)))
}

// fileShare is what the listeners of a process share: its open files. If these run out, which
// the limits of the listeners should prevent, idle connections make way.
type fileShare struct {
	log    *slog.Logger
	turn   atomic.Int64 // of the connections of all listeners
	logged sampler

	mu        sync.Mutex
	listeners []*connLimits
}

func newFileShare(log *slog.Logger) *fileShare {
	return &fileShare{log: log, logged: sampler{interval: time.Minute}}
}

// add adds the limits of a listener.
func (f *fileShare) add(l *connLimits) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners = append(f.listeners, l)
}

// accept accepts a connection. If there are no open files left, an idle one is closed,
// whichever listener it is of. Such an error is a temporary one to net/http.
func (f *fileShare) accept(l net.Listener) (net.Conn, error) {
	c, err := l.Accept()
	if err == nil || errors.Is(err, net.ErrClosed) {
		return c, err
	}
	f.warn(l, err)
	if !isShortage(err) {
		return nil, err
	}
	if f.evictIdle() {
		c, err = l.Accept()
	}
	if isShortage(err) {
		return nil, shortage{err}
	}
	return c, err
}

// warn logs an error of Accept, once a minute.
func (f *fileShare) warn(l net.Listener, err error) {
	omitted, ok := f.logged.take(time.Now())
	if !ok {
		return
	}
	text := "connections could not be accepted"
	if isShortage(err) {
		text += ": there are too few open files; raise the limit (ulimit -n, LimitNOFILE= of systemd), or lower --max-connections"
	}
	f.log.Warn(text, "address", l.Addr().String(), "error", err, "omitted", omitted)
}

// evictIdle closes an idle connection of the listener that has most, of which there is one, and
// reports whether there is. Its file is closed then.
func (f *fileShare) evictIdle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range slices.SortedFunc(slices.Values(f.listeners), func(a, b *connLimits) int { return cmp.Compare(b.number(), a.number()) }) {
		if s := l.idleForAny(); s != nil {
			s.release()
			_ = s.conn.Close() // the client may be gone
			return true
		}
	}
	return false
}

// isShortage reports whether the system lacked open files, or memory, for a connection.
func isShortage(err error) bool {
	for _, scarce := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, scarce) {
			return true
		}
	}
	return false
}

// shortage is an error after which net/http waits a moment and tries again: others than those
// of open files would end the server.
type shortage struct{ error }

// Unwrap returns the error of the system.
func (s shortage) Unwrap() error { return s.error }

// Timeout implements net.Error.
func (shortage) Timeout() bool { return false }

// Temporary implements net.Error.
func (shortage) Temporary() bool { return true }
