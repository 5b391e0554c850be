package httpserver

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// deadlineTick is how late a deadline of a connection may be noticed.
const deadlineTick = time.Second

// coarseListener gives connections whose deadlines are kept by one goroutine that
// looks at all of them every tick. net/http moves deadlines seven times for each
// request, and a timer of the runtime for each costs a twentieth of what a small
// request does.
type coarseListener struct {
	net.Listener
	began time.Time    // has the monotonic clock, as deadlines have
	now   atomic.Int64 // as of the last tick, in nanoseconds since began

	mu     sync.Mutex
	conns  map[*coarseConn]struct{}
	closed bool
}

// newCoarseListener begins to keep the deadlines of a listener's connections. It
// ends when the listener and all connections are closed.
func newCoarseListener(l net.Listener, tick time.Duration) *coarseListener {
	c := &coarseListener{Listener: l, began: time.Now(), conns: make(map[*coarseConn]struct{})}
	go c.keep(tick)
	return c
}

// keep looks at the connections every tick.
func (l *coarseListener) keep(tick time.Duration) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for now := range ticker.C {
		l.now.Store(int64(now.Sub(l.began)))
		if !l.look() {
			return
		}
	}
}

// look ends what is overdue, and tells whether there is anything left to look at.
func (l *coarseListener) look() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.look()
	}
	return !l.closed || len(l.conns) > 0
}

// Accept implements net.Listener.
func (l *coarseListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &coarseConn{Conn: conn, listener: l}
	c.read = coarseDeadline{listener: l, set: conn.SetReadDeadline}
	c.write = coarseDeadline{listener: l, set: conn.SetWriteDeadline}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
	return c, nil
}

// Close implements net.Listener.
func (l *coarseListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.Listener.Close()
}

// coarseConn is a connection of a coarseListener.
type coarseConn struct {
	net.Conn
	listener    *coarseListener
	read, write coarseDeadline
}

// coarseDeadline is a deadline for one direction.
type coarseDeadline struct {
	listener *coarseListener
	set      func(time.Time) error // the connection's own

	mu     sync.Mutex
	wanted time.Duration // since the listener began
	there  bool          // it is wanted
	over   bool          // the connection's own is in the past
}

// move changes the deadline. One in the past takes effect at once, as does its
// end: that is how net/http interrupts a read.
func (d *coarseDeadline) move(to time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.there = false
	if !to.IsZero() {
		d.wanted = to.Sub(d.listener.began)
		if int64(d.wanted) <= d.listener.now.Load() {
			d.over = true
			return d.set(to)
		}
		d.there = true
	}
	if !d.over {
		return nil
	}
	d.over = false
	return d.set(time.Time{})
}

// look ends what is overdue.
func (d *coarseDeadline) look() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.there || int64(d.wanted) > d.listener.now.Load() {
		return
	}
	_ = d.set(d.listener.began.Add(d.wanted)) // fails only where the connection is closed
	d.there, d.over = false, true
}

func (c *coarseConn) look() {
	c.read.look()
	c.write.look()
}

// SetReadDeadline implements net.Conn.
func (c *coarseConn) SetReadDeadline(t time.Time) error { return c.read.move(t) }

// SetWriteDeadline implements net.Conn.
func (c *coarseConn) SetWriteDeadline(t time.Time) error { return c.write.move(t) }

// SetDeadline implements net.Conn.
func (c *coarseConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close implements net.Conn.
func (c *coarseConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
