package httpserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// clientConn is a connection of a server, as net/http has it.
type clientConn struct {
	net.Conn
	*rejections
	below     *tickConn  // below TLS, if there is any
	peer      netip.Addr // zero: unknown. It is in http.Request.RemoteAddr, too, as text.
	handshake *tls.Conn  // nil: none, or it is done
	refused   bool       // nothing more is read
	// netContext is that of ListenOptions.
	netContext bool
	handled    atomic.Bool // a handler has the current request
	tunnel     atomic.Bool // a handler has taken the connection over
	// reason is the reason phrase of the next reply; nil: that of net/http.
	reason atomic.Pointer[string]
	// reply takes the place of the next one; nil: there is none that waits.
	reply *wholeReply
	max   headLimits
	head  headCounter // of the next head, or the one that is being read
	// whole says that the head of the current request is read.
	whole atomic.Bool
	// idle says that nothing of the next request has come, but for empty lines.
	idle bool
	// finished says that a handler has the current request, and all of it is read.
	finished atomic.Bool
	// pending are bytes behind a head that were read with it.
	pending []byte
	// body is how many bytes of the current request's body are left to read: all, if
	// endless. Whatever is read behind it belongs to the next head.
	body int64
}

// endless is the length of a body without a length: the connection ends with its request.
const endless = math.MaxInt64

// tcp returns the connection of the system; nil if it is of another kind.
func (c *clientConn) tcp() *net.TCPConn {
	tcp, _ := c.below.Conn.(*net.TCPConn)
	return tcp
}

// watched reports whether the contexts of requests end without net/http: by requestContext.
func (c *clientConn) watched() bool { return tellsResets && !c.netContext && c.tcp() != nil }

// Read implements net.Conn. The first call performs the TLS handshake, within the time
// that there is for a head.
func (c *clientConn) Read(b []byte) (int, error) {
	if c.handshake != nil {
		secure := c.handshake
		c.handshake = nil
		if err := c.shakeHands(secure); err != nil {
			c.refused = true
			if !gone(err) {
				c.reject(RejectedTLSHandshake, c.RemoteAddr())
			}
			return 0, io.EOF // net/http closes the connection without a reply
		}
		c.below.room = maxUndelivered
	}
	if c.refused {
		return 0, io.EOF
	}
	if c.tunnel.Load() {
		return c.receive(b)
	}
	if c.body > 0 {
		n, err := c.receive(b[:min(int64(len(b)), c.body)])
		if c.body -= int64(n); c.body == 0 {
			c.below.slot.unfinished.Store(false)
			c.finished.Store(c.watched())
		}
		return n, err
	}
	if len(b) == 1 && c.whole.Load() && c.watched() {
		// While a handler has a request, net/http reads a byte behind it, to end its context when the
		// client leaves (net/http/server.go of Go 1.26, connReader.backgroundRead). It need not be
		// interrupted where nobody relies on that.
		return 0, nil
	}
	if len(c.pending) > 0 {
		// A request that was sent without waiting for the reply to the one before: others take turns. Else
		// their connections, and passwords that are being hashed, would wait for as long as this one
		// may run, and for as many of its kind, which a few kilobytes keep busy.
		runtime.Gosched()
	}
	n, err := c.receive(b)
	if n == 0 {
		return n, err
	}
	// net/http gets a head alone, so that it is known where the next one begins: what is
	// behind it waits here, and not in a buffer of net/http's.
	length, whole, exceeded := c.head.add(b[:n], c.max)
	if exceeded {
		c.refuseHead()
		c.refused = true
		return 0, io.EOF
	}
	c.whole.Store(whole)
	c.below.write.within(writeTimeout)
	if c.idle && (whole || c.head.begun()) {
		c.idle = false
		if !whole {
			c.below.read.within(readHeaderTimeout)
		}
	}
	if length < n {
		c.pending = append(bytes.Clone(b[length:n]), c.pending...)
	}
	return length, err
}

// SetReadDeadline implements net.Conn. While a handler has a request of which all is read, there is
// no deadline for reading: net/http would set two to interrupt its look behind the request. Until the next
// head is read, there is one that net/http knows nothing of, and does not remove.
func (c *clientConn) SetReadDeadline(t time.Time) error {
	if c.finished.Load() || t.IsZero() && !c.whole.Load() {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// receive reads what is pending, or else from the client.
func (c *clientConn) receive(b []byte) (int, error) {
	if len(c.pending) > 0 {
		n := copy(b, c.pending)
		if c.pending = c.pending[n:]; len(c.pending) == 0 {
			c.pending = nil
		}
		return n, nil
	}
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.below.room = maxUndelivered
		// crypto/tls tells the end of the input with the last bytes, up to TLS 1.2 (crypto/tls/conn.go of Go 1.26, Read), and
		// again later. If it came with a head, net/http would not ask for the body that was read with that.
		err = nil
	}
	return n, err
}

// refuseHead answers a request with too many header fields, or too long a head. net/http
// would have read all fields before anybody could count them, at some 70 bytes of memory
// each; and of the heads on a connection but the first, it reads 4 KiB before it counts
// their length (net/http/server.go of Go 1.26, conn.serve: the Peek before the next request).
func (c *clientConn) refuseHead() {
	const status = "431 Request Header Fields Too Large"
	_ = c.SetDeadline(time.Now().Add(refusalTimeout)) // fails only if what follows does
	_, err := io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "+strconv.Itoa(len(status))+"\r\nConnection: close\r\n\r\n"+status)
	if err == nil && c.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, refusedBytes) // a reset could overtake the reply
	}
}

// A client may take so long to receive a reply and to stop sending, and send so much.
const (
	refusalTimeout = time.Second
	refusedBytes   = 256 << 10
)

// headLimits limit the head of a request.
type headLimits struct {
	bytes  int // of the whole head
	fields int // of the header
}

// headCounter counts the lines of a request's head, and their bytes, as they are read.
type headCounter struct {
	lines, bytes int
	text         bool // the current line has some
}

// begun reports whether anything of a head has come, but for empty lines.
func (h *headCounter) begun() bool { return h.text || h.lines > 0 }

// add counts the bytes of a head, which may follow empty lines (RFC 9112, 2.2). It returns how
// many of them belong to the head and what precedes it; if it is whole, it ends there, and the next head is
// counted from then on. exceeded says that the head is larger than a request's may be.
func (h *headCounter) add(b []byte, most headLimits) (length int, whole, exceeded bool) {
	for length < len(b) {
		line, _, ended := bytes.Cut(b[length:], []byte{'\n'})
		size := len(line)
		h.text = h.text || size > 1 || size == 1 && line[0] != '\r'
		if ended {
			size++
		}
		length += size
		if h.begun() {
			h.bytes += size
		}
		if ended && h.text {
			h.lines++
		}
		if h.lines > 1+most.fields || h.bytes > most.bytes {
			return length, false, true
		}
		if ended && !h.text && h.lines > 0 {
			*h = headCounter{}
			return length, true, false
		}
		h.text = h.text && !ended
	}
	return length, false, false
}

// shakeHands performs a TLS handshake. A client that speaks plain HTTP is told so, as by
// net/http.
func (c *clientConn) shakeHands(secure *tls.Conn) error {
	if err := c.SetWriteDeadline(time.Now().Add(readHeaderTimeout)); err != nil {
		return err
	}
	defer c.below.handshakeDone()
	err := secure.HandshakeContext(context.Background())
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) && plain.Conn != nil && looksLikeHTTP(plain.RecordHeader) {
		_, _ = io.WriteString(plain.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
	}
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return errors.Join(err, c.SetWriteDeadline(time.Time{}))
}

// looksLikeHTTP reports whether the first bytes of a connection are of a request line.
func looksLikeHTTP(begin [5]byte) bool {
	switch string(begin[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "PATCH", "DELET":
		return true
	}
	return false
}

// Write implements net.Conn. What net/http writes while no handler has a request is a
// reply of its own.
func (c *clientConn) Write(b []byte) (int, error) {
	if c.handled.Load() {
		if c.reply != nil {
			return c.writeWhole(b)
		}
		if c.reason.Load() == nil {
			return c.Conn.Write(b)
		}
		if _, err := c.Conn.Write(withReason(b, *c.reason.Swap(nil))); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	if c.refused {
		return len(b), nil // net/http's reply to the end of a head that was refused
	}
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	why, known := rejection(string(line))
	if !ok || !known {
		return c.Conn.Write(b)
	}
	c.reject(why, c.RemoteAddr())
	reply := append(bytes.Clone(line), "\r\n"...)
	for _, h := range c.headers() {
		reply = append(reply, h.Name+": "+h.Value+"\r\n"...)
	}
	if _, err := c.Conn.Write(append(reply, rest...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// withReason returns a reply, from its first byte on, with another reason phrase.
func withReason(reply []byte, reason string) []byte {
	line, rest, ok := bytes.Cut(reply, []byte("\r\n"))
	words := bytes.SplitN(line, []byte{' '}, 3)
	if !ok || len(words) < 3 {
		return reply
	}
	return slices.Concat(words[0], []byte{' '}, words[1], []byte(" "+reason+"\r\n"), rest)
}

// gone reports whether a handshake failed because the client left, or sent nothing, as
// health checks of load balancers do.
func gone(err error) bool {
	var failed *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &failed) && failed.Op == "read"
}

// CloseWrite shuts the sending side, so that net/http can wait for a client that still
// sends: closing at once would reset the connection, and the client might never see the
// reply. Over TLS, the client is told of it first (close_notify).
func (c *clientConn) CloseWrite() error {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		if err := secure.CloseWrite(); err != nil {
			return err
		}
	}
	if tcp := c.tcp(); tcp != nil {
		return tcp.CloseWrite()
	}
	return errors.ErrUnsupported
}

// handling is the handler of a server: while next has a request, its replies are its own.
func handling(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := connOf(r.Context()); c != nil {
			c.handled.Store(true)
			// Without a body, net/http reads in the background already. The preface of HTTP/2
			// has no length, and no body either.
			switch {
			case r.Body == http.NoBody:
			case r.ContentLength < 0:
				c.body = endless
			default:
				c.body = r.ContentLength
			}
			c.below.slot.unfinished.Store(c.body > 0)
			c.finished.Store(c.body == 0 && c.watched())
		}
		if len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1) {
			// net/http takes a length beside chunks away unseen, and all codings of
			// HTTP/1.0: whatever a proxy took for the end of this request, nothing
			// behind it is read (RFC 9112, 6.1).
			w.Header()["Connection"] = []string{"close"}
		}
		next.ServeHTTP(w, r)
	})
}

// stateChanged is the ConnState of a server: an idle connection has no request.
func stateChanged(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*clientConn)
	if !ok {
		return
	}
	switch state {
	case http.StateIdle:
		// Where a handler has had its reply sent before the body was read, net/http reads the rest away, but does not care if
		// that fails, as at a deadline (net/http/server.go of Go 1.26, response.finishRequest): what is left, when it comes,
		// would be the next request.
		c.refused = c.refused || c.body > 0
		c.handled.Store(false)
		c.finished.Store(false)
		c.whole.Store(false)
		c.idle = true
		c.below.read.within(idleTimeout)
	case http.StateHijacked:
		c.tunnel.Store(true)
		c.finished.Store(false)
	}
	if state == http.StateActive || state == http.StateIdle {
		c.below.slot.setIdle(state == http.StateIdle)
	}
}
