package httpserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// clientConn is a connection of a server, as net/http has it.
type clientConn struct {
	net.Conn
	*rejections
	below     *tickConn   // below TLS, if there is any
	handshake *tls.Conn   // nil: none, or it is done
	refused   bool        // nothing more is read
	handled   atomic.Bool // a handler has the current request
	head      headCounter // of the current request, while no handler has it
	max       headLimits
}

// tcp returns the connection of the system; nil if it is of another kind.
func (c *clientConn) tcp() *net.TCPConn {
	tcp, _ := c.below.Conn.(*net.TCPConn)
	return tcp
}

// Read implements net.Conn. The first call performs the TLS handshake, within the deadline
// that net/http has set for the headers.
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
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.below.room = maxUndelivered
	}
	if n > 0 && c.handled.Load() {
		c.head.ahead = true // it may be of the next request
	} else if n > 0 && c.head.exceeds(b[:n], c.max) {
		c.refuseHead()
		c.refused = true
		return 0, io.EOF
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
	lines int
	bytes int
	begun bool // the current line has text
	ended bool // by an empty line
	ahead bool // net/http may have read more than this head
	// partly says that the head's beginning was read with the request before, so that any
	// empty line ends it; handling measures it.
	partly bool
	// doubtful says that an empty line which ended such a head may have preceded it instead
	// (net/http skips one after a POST). It has, if more is read before the handler has the
	// request; the lines and bytes after came behind it by then.
	doubtful               bool
	linesAfter, bytesAfter int
}

// next makes it count the next request's head.
func (h *headCounter) next() { *h = headCounter{partly: h.ahead} }

// exceeds reports whether the head is larger than a request's may be, with these bytes of
// it. What comes after the head in the same bytes is not counted.
func (h *headCounter) exceeds(b []byte, limits headLimits) bool {
	if h.doubtful {
		h.lines, h.bytes, h.ended, h.doubtful = h.linesAfter, h.bytesAfter, false, false
	}
	for !h.ended {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		h.begun = h.begun || len(line) > 1 || len(line) == 1 && line[0] != '\r'
		h.bytes += len(b) - len(rest)
		if !whole {
			break
		}
		if h.begun {
			h.lines++
		}
		h.ended = !h.begun && (h.lines > 0 || h.partly) // empty lines may precede it (RFC 9112, 2.2)
		if h.ended && h.lines == 0 {
			h.doubtful, h.linesAfter, h.bytesAfter = true, bytes.Count(rest, []byte{'\n'}), len(rest)
		}
		h.begun, b = false, rest
	}
	h.ahead = h.ahead || h.ended && len(b) > 0
	return h.lines > 1+limits.fields || h.bytes > limits.bytes
}

// shakeHands performs a TLS handshake. A client that speaks plain HTTP is told so, as by
// net/http.
func (c *clientConn) shakeHands(secure *tls.Conn) error {
	if err := c.SetWriteDeadline(time.Now().Add(readHeaderTimeout)); err != nil {
		return err
	}
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
		return c.Conn.Write(b)
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
		if c, ok := r.Context().Value(connKey{}).(*clientConn); ok {
			// The head of a pipelined request came with the one before.
			if bytes, fields := leastHead(r); c.head.partly && (fields > c.max.fields || bytes > c.max.bytes) {
				refuseHead(w)
				return
			}
			c.handled.Store(true)
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

// leastHead returns the number of a request's header fields, and the length that its head has
// at least, without white space. net/http moves Host out of the others.
func leastHead(r *http.Request) (bytes, fields int) {
	bytes = len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \n\n")
	if r.Host != "" {
		bytes, fields = bytes+len("Host:\n")+len(r.Host), 1
	}
	for name, values := range r.Header {
		for _, value := range values {
			bytes += len(name) + len(value) + len(":\n")
		}
		fields += len(values)
	}
	return bytes, fields
}

// refuseHead answers a request whose head is too large, and read.
func refuseHead(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.Error(w, "431 Request Header Fields Too Large", http.StatusRequestHeaderFieldsTooLarge) // Write counts it
}

// stateChanged is the ConnState of a server: an idle connection has no request.
func stateChanged(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*clientConn)
	if !ok {
		return
	}
	if state == http.StateIdle {
		c.handled.Store(false)
		c.head.next()
	}
	if state == http.StateActive || state == http.StateIdle {
		c.below.slot.setIdle(state == http.StateIdle)
	}
}
