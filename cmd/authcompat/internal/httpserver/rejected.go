package httpserver

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/authcompat/authcompat/profiles"
)

// Rejection is why a request was refused before it reached an API: a label of metrics.
type Rejection string

// The reasons. All but the last two, and too many fields, are those of net/http's own replies
// (net/http/server.go of Go 1.26, conn.serve and conn.readRequest).
const (
	RejectedMalformed        Rejection = "malformed"         // request line, header or body length: 400
	RejectedHost             Rejection = "host"              // no Host header, or not a host (several are malformed): 400
	RejectedHeaderSize       Rejection = "header_size"       // 431: too long, or too many fields
	RejectedTransferEncoding Rejection = "transfer_encoding" // another than chunked: 501
	RejectedExpectation      Rejection = "expectation"       // another than 100-continue: 417
	RejectedVersion          Rejection = "http_version"      // 505
	RejectedTLSHandshake     Rejection = "tls_handshake"     // no reply, but a TLS alert
	RejectedConnection       Rejection = "connections"       // closed at once: its network has as many as it may have
)

// Rejections are the reasons for which requests can be rejected.
func Rejections() []string {
	return []string{
		string(RejectedMalformed), string(RejectedHost), string(RejectedHeaderSize), string(RejectedTransferEncoding),
		string(RejectedExpectation), string(RejectedVersion), string(RejectedTLSHandshake), string(RejectedConnection),
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
// a tickListener, and above TLS if there is any, so net/http takes all its connections for
// plain ones.
type rejectionListener struct {
	net.Listener
	*rejections
	max        headLimits
	netContext bool // of ListenOptions
}

// Accept implements net.Listener.
func (l *rejectionListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	client := &clientConn{Conn: c, rejections: l.rejections, max: l.max, netContext: l.netContext, peer: addressOf(c.RemoteAddr().String())}
	if client.handshake, _ = c.(*tls.Conn); client.handshake != nil {
		c = client.handshake.NetConn()
	}
	client.below = c.(*tickConn)
	client.below.secured, client.below.room = client.handshake != nil, maxHandshake
	client.below.read.within(readHeaderTimeout)
	return client, nil
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
