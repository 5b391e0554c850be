package httpserver

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// deadlineTick is how late a deadline of a connection may be noticed.
const deadlineTick = time.Second

// tickListener gives connections whose deadlines are kept by one goroutine that
// looks at all of them every tick. net/http moves deadlines seven times for each
// request, and a timer of the runtime for each costs a twentieth of what a small
// request does.
type tickListener struct {
	net.Listener
	began time.Time    // has the monotonic clock, as deadlines have
	now   atomic.Int64 // as of the last tick, in nanoseconds since began

	mu     sync.Mutex
	conns  map[*tickConn]struct{}
	closed bool
}

// newTickListener begins to keep the deadlines of a listener's connections. It
// ends when the listener and all connections are closed.
func newTickListener(l net.Listener, tick time.Duration) *tickListener {
	c := &tickListener{Listener: l, began: time.Now(), conns: make(map[*tickConn]struct{})}
	go c.run(tick)
	return c
}

// run looks at the connections every tick.
func (l *tickListener) run(tick time.Duration) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for now := range ticker.C {
		l.now.Store(int64(now.Sub(l.began)))
		if !l.expire() {
			return
		}
	}
}

// expire ends what is overdue, and tells whether there is anything left to look at.
func (l *tickListener) expire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.expire()
	}
	return !l.closed || len(l.conns) > 0
}

// Accept implements net.Listener.
func (l *tickListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &tickConn{Conn: conn, listener: l}
	c.read = tickDeadline{listener: l, apply: conn.SetReadDeadline}
	c.write = tickDeadline{listener: l, apply: conn.SetWriteDeadline}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
	return c, nil
}

// Close implements net.Listener.
func (l *tickListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.Listener.Close()
}

// tickConn is a connection of a tickListener.
type tickConn struct {
	net.Conn
	listener    *tickListener
	read, write tickDeadline
}

// tickDeadline is a deadline for one direction.
type tickDeadline struct {
	listener *tickListener
	apply    func(time.Time) error // the connection's own

	mu     sync.Mutex
	wanted time.Duration // since the listener began
	there  bool          // it is wanted
	over   bool          // the connection's own is in the past
}

// set changes the deadline. One in the past takes effect at once, as does its
// end: that is how net/http interrupts a read.
func (d *tickDeadline) set(to time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.there = false
	if !to.IsZero() {
		d.wanted = to.Sub(d.listener.began)
		if int64(d.wanted) <= d.listener.now.Load() {
			d.over = true
			return d.apply(to)
		}
		d.there = true
	}
	if !d.over {
		return nil
	}
	d.over = false
	return d.apply(time.Time{})
}

// expire ends what is overdue.
func (d *tickDeadline) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.there || int64(d.wanted) > d.listener.now.Load() {
		return
	}
	_ = d.apply(d.listener.began.Add(d.wanted)) // fails only where the connection is closed
	d.there, d.over = false, true
}

func (c *tickConn) expire() {
	c.read.expire()
	c.write.expire()
}

// SetReadDeadline implements net.Conn.
func (c *tickConn) SetReadDeadline(t time.Time) error { return c.read.set(t) }

// SetWriteDeadline implements net.Conn.
func (c *tickConn) SetWriteDeadline(t time.Time) error { return c.write.set(t) }

// SetDeadline implements net.Conn.
func (c *tickConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close implements net.Conn.
func (c *tickConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
