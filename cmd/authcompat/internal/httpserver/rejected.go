package httpserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/profiles"
)

// Rejection is why a request was refused before it reached an API: a label of metrics.
type Rejection string

// The reasons. All but the last, and too many fields, are those of net/http's own replies
// (net/http/server.go of Go 1.26, conn.serve and conn.readRequest).
const (
	RejectedMalformed        Rejection = "malformed"         // request line, header or body length: 400
	RejectedHost             Rejection = "host"              // no Host header, or several, or not a host: 400
	RejectedHeaderSize       Rejection = "header_size"       // 431: too long, or too many fields
	RejectedTransferEncoding Rejection = "transfer_encoding" // another than chunked: 501
	RejectedExpectation      Rejection = "expectation"       // another than 100-continue: 417
	RejectedVersion          Rejection = "http_version"      // 505
	RejectedTLSHandshake     Rejection = "tls_handshake"     // no reply, but a TLS alert
)

// Rejections are the reasons for which requests can be rejected.
func Rejections() []string {
	return []string{
		string(RejectedMalformed), string(RejectedHost), string(RejectedHeaderSize), string(RejectedTransferEncoding),
		string(RejectedExpectation), string(RejectedVersion), string(RejectedTLSHandshake),
	}
}

// rejections counts and logs the requests that a listener refuses before they reach an
// API, and gives the replies the API's headers.
type rejections struct {
	count   func(reason string)
	headers func() []profiles.Header
	log     *slog.Logger
	logged  sampler
}

// reject counts a rejected request, and logs it unless another was logged in the same
// second. Of what the client sent, nothing is logged.
func (r *rejections) reject(why Rejection, client net.Addr) {
	r.count(string(why))
	omitted, ok := r.logged.take(time.Now())
	if !ok {
		return
	}
	attrs := []any{"reason", string(why), "client", client.String()}
	if omitted > 0 {
		attrs = append(attrs, "omitted", omitted)
	}
	r.log.Warn("a request was rejected before it reached the API", attrs...)
}

// rejectionListener accepts connections that notice net/http's own replies. It is above
// TLS, so net/http takes all its connections for plain ones.
type rejectionListener struct {
	net.Listener
	*rejections
}

// Accept implements net.Listener.
func (l *rejectionListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	secure, _ := c.(*tls.Conn)
	return &clientConn{Conn: c, rejections: l.rejections, handshake: secure}, nil
}

// clientConn is a connection of a server, as net/http has it.
type clientConn struct {
	net.Conn
	*rejections
	handshake *tls.Conn   // nil: none, or it is done
	refused   bool        // nothing more is read
	handled   atomic.Bool // a handler has the current request
	head      headerLines // of the current request, while no handler has it
}

// tcp returns the connection below TLS; nil if it is of another kind.
func (c *clientConn) tcp() *net.TCPConn {
	below := c.Conn
	if secure, ok := below.(*tls.Conn); ok {
		below = secure.NetConn()
	}
	ticking, ok := below.(*tickConn)
	if !ok {
		return nil
	}
	tcp, _ := ticking.Conn.(*net.TCPConn)
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
			c.reject(RejectedTLSHandshake, c.RemoteAddr())
			return 0, io.EOF // net/http closes the connection without a reply
		}
	}
	if c.refused {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(b)
	if n > 0 && !c.handled.Load() && c.head.exceeds(b[:n]) {
		c.refuseFields()
		c.refused = true
		return 0, io.EOF
	}
	return n, err
}

// refuseFields answers a request with too many header fields. net/http would have read
// them all before anybody could count them, at some 70 bytes of memory each.
func (c *clientConn) refuseFields() {
	const status = "431 Request Header Fields Too Large"
	_ = c.SetDeadline(time.Now().Add(refusalTimeout)) // fails only if what follows does
	_, err := io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+status)
	if err == nil && c.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, maxHeaderBytes) // a reset could overtake the reply
	}
}

// refusalTimeout is how long a client may take to receive a reply and to stop sending.
const refusalTimeout = time.Second

// maxHeaderFields is the largest number of header fields of a request: gunicorn's
// limit_request_fields.
const maxHeaderFields = 100

// headerLines counts the lines of a request's head as they are read.
type headerLines struct {
	lines int
	begun bool // the current line has text
	ended bool // by an empty line
}

// exceeds reports whether there are more header fields than a request may have, with
// these bytes of it. What comes after the head in the same bytes is not counted.
func (h *headerLines) exceeds(b []byte) bool {
	for !h.ended {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		h.begun = h.begun || len(line) > 1 || len(line) == 1 && line[0] != '\r'
		if !whole {
			break
		}
		if h.begun {
			h.lines++
		}
		h.ended = !h.begun && h.lines > 0 // empty lines may precede it (RFC 9112, 2.2)
		h.begun, b = false, rest
	}
	return h.lines > 1+maxHeaderFields
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

// rejection returns why net/http answers with a status line.
func rejection(line string) (Rejection, bool) {
	version, status, _ := strings.Cut(line, " ")
	code, text, _ := strings.Cut(status, " ")
	n, err := strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(version, "HTTP/1.") || n < http.StatusBadRequest {
		return "", false
	}
	switch n {
	case http.StatusRequestHeaderFieldsTooLarge:
		return RejectedHeaderSize, true
	case http.StatusNotImplemented:
		return RejectedTransferEncoding, true
	case http.StatusExpectationFailed:
		return RejectedExpectation, true
	case http.StatusHTTPVersionNotSupported:
		return RejectedVersion, true
	}
	if strings.Contains(text, "Host header") {
		return RejectedHost, true
	}
	return RejectedMalformed, true
}

// CloseWrite shuts the sending side, so that net/http can wait for a client that still
// sends: closing at once would reset the connection, and the client might never see the
// reply.
func (c *clientConn) CloseWrite() error {
	if tcp := c.tcp(); tcp != nil {
		return tcp.CloseWrite()
	}
	return errors.ErrUnsupported
}

// handling is the handler of a server: while next has a request, its replies are its own.
func handling(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*clientConn); ok {
			if fields(r) > maxHeaderFields { // of a pipelined request, which came with the one before
				refuseFields(w)
				return
			}
			c.handled.Store(true)
		}
		next.ServeHTTP(w, r)
	})
}

// fields returns the number of a request's header fields. net/http moves Host out of the
// others.
func fields(r *http.Request) (n int) {
	if r.Host != "" {
		n = 1
	}
	for _, values := range r.Header {
		n += len(values)
	}
	return n
}

// refuseFields answers a request with too many header fields, whose head is read.
func refuseFields(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.Error(w, "431 Request Header Fields Too Large", http.StatusRequestHeaderFieldsTooLarge) // Write counts it
}

// stateChanged is the ConnState of a server: an idle connection has no request.
func stateChanged(c net.Conn, state http.ConnState) {
	if c, ok := c.(*clientConn); ok && state == http.StateIdle {
		c.handled.Store(false)
		c.head = headerLines{}
	}
}
