package httpserver

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/core/fairshare"
)

// deadlineTick is how late the deadline of a connection may be noticed.
const deadlineTick = time.Second

// tickListener accepts connections whose deadlines are checked by one goroutine at every
// tick. Deadlines are set several times for each request, and doing that with a
// runtime timer takes a twentieth of the time of a small request.
type tickListener struct {
	net.Listener
	limits  *connLimits
	refused func(client net.Addr)
	shaking *fairshare.Turns // of TLS handshakes; nil: there are none
	tick    time.Duration
	began   time.Time    // has the monotonic clock, as deadlines have
	now     atomic.Int64 // as of the last tick, in nanoseconds since began
	ticks   atomic.Int64 // so far

	mu     sync.Mutex
	conns  map[*tickConn]struct{}
	closed bool
}

// newTickListener starts to check the deadlines of a listener's connections, until the
// listener and all connections are closed. refused is told of each that the limits refuse.
func newTickListener(l net.Listener, tick time.Duration, limits *connLimits, refused func(client net.Addr)) *tickListener {
	c := &tickListener{Listener: l, limits: limits, refused: refused, tick: tick, began: time.Now(), conns: make(map[*tickConn]struct{})}
	go c.run()
	return c
}

// run checks the connections at every tick.
func (l *tickListener) run() {
	ticker := time.NewTicker(l.tick)
	defer ticker.Stop()
	for now := range ticker.C {
		l.now.Store(int64(now.Sub(l.began)))
		l.ticks.Add(1)
		if !l.expire() {
			return
		}
	}
}

// expire applies the deadlines that have passed, and reports whether there is anything
// left to check.
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
	for {
		conn, err := l.limits.files.accept(l.Listener)
		if err != nil {
			return nil, err
		}
		c := &tickConn{Conn: conn, listener: l}
		c.read = tickDeadline{listener: l, apply: conn.SetReadDeadline}
		c.write = tickDeadline{listener: l, apply: conn.SetWriteDeadline}
		c.slot = l.limits.slot(c, conn.RemoteAddr())
		if l.shaking != nil {
			c.handshake = &handshakeTurn{Turns: l.shaking, slot: c.slot}
			c.handshake.conn, c.abandon = context.WithCancel(context.Background())
		}
		if err := l.limits.acquire(c.slot); err != nil {
			_ = conn.Close() // the client may be gone
			if c.abandon != nil {
				c.abandon()
			}
			if errors.Is(err, net.ErrClosed) {
				return nil, err
			}
			l.refused(conn.RemoteAddr())
			continue
		}
		l.mu.Lock()
		l.conns[c] = struct{}{}
		l.mu.Unlock()
		return c, nil
	}
}

// Close implements net.Listener.
func (l *tickListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.limits.close()
	return l.Listener.Close()
}

// tickConn is a connection of a tickListener.
type tickConn struct {
	net.Conn
	listener    *tickListener
	slot        *connSlot
	read, write tickDeadline
	handshake   *handshakeTurn // nil: there is none, or it is done
	abandon     func()         // ends what waits for a turn; nil: there is no TLS
	secured     bool           // TLS is above it,
	room        int            // and may read as many bytes until something comes of them
}

// How many bytes TLS may read until a handshake is done, and then until it delivers
// something: several times what clients send, and a record (RFC 8446, 5.1) with what may
// precede it. crypto/tls would keep a handshake message of 64 KiB in twice as much memory
// until it is complete.
const (
	maxHandshake   = 8 << 10
	maxUndelivered = 18 << 10
)

// errUndelivered is the error of a client that sends TLS more than anybody needs to.
var errUndelivered = errors.New("a TLS handshake is too long")

// Read implements net.Conn.
func (c *tickConn) Read(b []byte) (int, error) {
	if !c.secured {
		return c.Conn.Read(b)
	}
	if c.room == 0 {
		return 0, errUndelivered
	}
	c.handshake.end()
	n, err := c.Conn.Read(b[:min(len(b), c.room)])
	c.room -= n
	if n > 0 && c.handshake != nil {
		if err := c.handshake.begin(); err != nil {
			return 0, err
		}
	}
	return n, err
}

// handshakeDone ends the turns of a handshake, which has failed or succeeded.
func (c *tickConn) handshakeDone() {
	c.handshake.end()
	c.handshake = nil
	if c.abandon != nil {
		c.abandon()
	}
}

// tickDeadline is a deadline for one direction.
type tickDeadline struct {
	listener *tickListener
	apply    func(time.Time) error // sets the deadline of the connection itself

	mu sync.Mutex
	deadline
	before deadline // the one that an interruption has taken the place of
	paused bool     // there is an interruption
}

// deadline is the state of a tickDeadline.
type deadline struct {
	wanted time.Duration // since the listener began; with last, nothing
	last   int64         // the tick at which it has passed; 0: that is at wanted
	there  bool          // whether there is a deadline
	over   bool          // whether it has been applied
}

// set changes the deadline. One in the past is applied at once, and so is its removal.
//
// net/http interrupts a read by a deadline long ago, and then removes that (net/http/server.go of Go 1.26,
// connReader.abortPendingRead): for it there would be none any more, and it goes on with the rest of a body, which may
// never come. So the one before is there again.
func (d *tickDeadline) set(to time.Time) error {
	d.mu.Lock()
	if to.IsZero() && d.paused {
		defer d.mu.Unlock()
		d.deadline, d.paused = d.before, false
		if d.over {
			return nil
		}
		return d.apply(time.Time{})
	}
	before := d.deadline
	d.there, d.last, d.paused = !to.IsZero(), 0, false
	if d.there {
		d.wanted = to.Sub(d.listener.began)
	}
	passed := d.there && int64(d.wanted) <= d.listener.now.Load()
	if !passed && !d.over { // as with nearly every request: no time for a deferred call
		d.mu.Unlock()
		return nil
	}
	defer d.mu.Unlock()
	d.over = passed
	if !passed {
		return d.apply(time.Time{})
	}
	d.there = false
	d.before, d.paused = before, d.wanted < 0
	return d.apply(to)
}

// within sets the deadline to so long from now, up to two ticks later. It counts ticks, and so does not read the clock, which each
// request would do several times. A process that was stopped has not had those of that time.
func (d *tickDeadline) within(wait time.Duration) {
	d.mu.Lock()
	d.there, d.last = true, d.listener.ticks.Load()+int64((wait+d.listener.tick-1)/d.listener.tick)+1
	over := d.over
	d.over, d.paused = false, false
	if over {
		_ = d.apply(time.Time{}) // fails only where the connection is closed
	}
	d.mu.Unlock()
}

// passed reports whether the deadline has passed. The caller holds the lock.
func (d *tickDeadline) passed() bool {
	if d.last > 0 {
		return d.last <= d.listener.ticks.Load()
	}
	return int64(d.wanted) <= d.listener.now.Load()
}

// expire applies the deadline if it has passed.
func (d *tickDeadline) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.there || !d.passed() {
		return
	}
	_ = d.apply(d.listener.began) // long ago; fails only where the connection is closed
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

// maxUnread is how many bytes of a client are read away before its connection is closed.
const maxUnread = 4 << 10

// Close implements net.Conn.
//
// A system resets a connection that is closed before all is read (RFC 2525, 2.17), and a client that gets the reset with the
// reply may never see that, as on Windows. Old clients send an empty line behind a body, and TLS tells the end of the input: of
// either nothing is read, or would be by net/http, when the connection ends with its request.
func (c *tickConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		discardUnread(tcp)
	}
	err := c.Conn.Close()
	if c.abandon != nil {
		c.abandon()
	}
	c.slot.release()
	return err
}
