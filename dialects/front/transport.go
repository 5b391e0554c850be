package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"sync"
	"time"
)

// How connections to an application are used.
const (
	// dialTimeout is how long a connection may take to be made.
	dialTimeout = 10 * time.Second
	// maxAnswerHead is how many bytes an answer's head may have.
	maxAnswerHead = 256 << 10
	// reusableFor is how long a connection is kept for requests that can be sent again if
	// the application closes it meanwhile.
	reusableFor = 30 * time.Second
	// reusableOnceFor is the same for other requests: less than any server waits before it
	// closes an idle connection (gunicorn: 2 seconds).
	reusableOnceFor = time.Second
	// continueTimeout is how long a body waits for the application to ask for it.
	continueTimeout = time.Second
)

// Application is what requests go on to.
type Application struct {
	URL *url.URL    // with a scheme, http or https, and a host
	TLS *tls.Config // of connections at https; nil: the system's roots
	// Count is told of the result of each exchange with it; nil: nobody is.
	Count func(Result)
}

// transport sends requests to an application, over HTTP/1.1.
type transport struct {
	url             *url.URL     // of all requests
	count           func(Result) // never nil
	address         string       // HOST:PORT
	own             func(netip.AddrPort) bool
	dialer          net.Dialer
	tls             *tls.Config     // nil: none
	repeatable, not *http.Transport // by whether net/http may send a request again
	places          chan struct{}   // of all connections of the front; nil: any number
}

func newTransport(a Application, o *Options, places chan struct{}) *transport {
	t := &transport{
		places: places,
		url:    &url.URL{Scheme: a.URL.Scheme, Host: a.URL.Host, Path: "/"}, count: a.Count,
		address: hostPort(a.URL), own: o.Own, dialer: net.Dialer{Timeout: min(dialTimeout, o.Timeout)},
	}
	if t.count == nil {
		t.count = func(Result) {}
	}
	if a.URL.Scheme == "https" {
		if t.tls = a.TLS.Clone(); t.tls == nil {
			t.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		t.tls.NextProtos = []string{"http/1.1"}
		if t.tls.ServerName == "" {
			t.tls.ServerName = a.URL.Hostname()
		}
	}
	pool := func(idle time.Duration) *http.Transport {
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := t.dial(ctx)
			if err != nil {
				return nil, err
			}
			conn.reset = true // net/http makes more than it has requests for
			return conn, nil
		}
		return &http.Transport{
			DialContext: dial, DialTLSContext: dial,
			DisableCompression:     true,
			MaxIdleConns:           o.IdleConnections,
			MaxIdleConnsPerHost:    o.IdleConnections,
			IdleConnTimeout:        idle,
			ExpectContinueTimeout:  continueTimeout,
			MaxResponseHeaderBytes: maxAnswerHead,
		}
	}
	t.repeatable, t.not = pool(reusableFor), pool(reusableOnceFor)
	return t
}

// hostPort returns the address of a URL.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = u.Scheme
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// dialError is the error of a connection that could not be made.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// handshakeError is the error of a TLS handshake.
type handshakeError struct{ error }

func (e *handshakeError) Unwrap() error { return e.error }

// dial connects to the application. The error is a *dialError or a *handshakeError.
//
// A client that has made way for others is not noticed at once, and for as long its request has a connection: without a
// place for each, who asks again and again would have more of them than requests.
//
// net/http goes on with a connection for a request that is over (net/http/transport.go of Go 1.26, getConn), in case another one
// can use it. If the application can't be reached, that takes the whole time: clients that give up and ask again would
// take all places, also those of requests to the other application. So it ends with its request.
func (t *transport) dial(ctx context.Context) (*upstreamConn, error) {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(x.ctx, cancel)()
	}
	if t.places == nil {
		return t.connect(ctx)
	}
	waiting, cancel := context.WithTimeout(ctx, t.dialer.Timeout)
	defer cancel()
	select {
	case t.places <- struct{}{}:
	case <-waiting.Done():
		return nil, &dialError{fmt.Errorf("no connection for one more request: %w", waiting.Err())}
	}
	free := sync.OnceFunc(func() { <-t.places })
	conn, err := t.connect(ctx)
	if err != nil {
		free()
		return nil, err
	}
	conn.free = free
	return conn, nil
}

// connect is dial, whatever the number of connections.
func (t *transport) connect(ctx context.Context) (*upstreamConn, error) {
	conn, err := t.dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, &dialError{err}
	}
	if t.isOwn(conn) {
		_ = conn.Close()
		return nil, &dialError{errLoop}
	}
	if t.tls != nil {
		ctx, cancel := context.WithTimeout(ctx, t.dialer.Timeout)
		defer cancel()
		secure := tls.Client(conn, t.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, &handshakeError{err}
		}
		conn = secure
	}
	return &upstreamConn{Conn: conn}, nil
}

// isOwn reports whether a connection leads back to this server. From an address of the
// machine to another one of it, the system takes the same address for both ends.
func (t *transport) isOwn(conn net.Conn) bool {
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	remote, too := conn.RemoteAddr().(*net.TCPAddr)
	return ok && too && local.IP.Equal(remote.IP) && t.own(remote.AddrPort())
}

// roundTrip sends a request of an exchange to its application. It implements
// http.RoundTripper.
func roundTrip(r *http.Request) (*http.Response, error) {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errors.New("front: a request of nobody")
	}
	var conn *upstreamConn
	trace := &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			conn = got.Conn.(*upstreamConn)
			conn.begin(x)
		},
		PutIdleConn: func(err error) {
			if err != nil {
				conn.surplus()
			}
		},
	}
	if proxy := httptrace.ContextClientTrace(r.Context()); proxy != nil {
		// Its context would be joined with ours by reflection.
		trace.Got1xxResponse = func(status int, header textproto.MIMEHeader) error {
			if !x.sent.Load() {
				return errEarly
			}
			return proxy.Got1xxResponse(status, header)
		}
	}
	r = r.WithContext(httptrace.WithClientTrace(x.ctx, trace))
	if repeatable(r) {
		return x.to.repeatable.RoundTrip(r)
	}
	return x.to.not.RoundTrip(r)
}

// repeatable reports whether net/http sends a request again on another connection, if one
// that was idle turns out to be closed (net/http/request.go of Go 1.26, isReplayable).
func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return r.Body == nil
	}
	return false
}

func (t *transport) closeIdle() {
	t.repeatable.CloseIdleConnections()
	t.not.CloseIdleConnections()
}

// upstreamConn is a connection to the application, as net/http has it: above TLS.
type upstreamConn struct {
	net.Conn

	mu       sync.Mutex
	reading  bool          // net/http waits for more than it has buffered
	changed  chan struct{} // closed when reading begins, or the connection is closed; nil: nobody waits
	closed   bool
	x        *exchange // of the current request
	heading  bool      // the request's head is being written
	head     []byte    // what was written of it,
	sent     []byte    // and is sent
	answered bool      // the answer's head has been read, or there is none to read
	reader   headReader
	reset    bool   // nothing is lost if it is reset when it is closed
	free     func() // gives up its place; nil: it has none
}

// begin says whose request is written next.
func (c *upstreamConn) begin(x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.x, c.heading, c.head = x, true, c.head[:0]
	c.answered, c.reader, c.reset = false, headReader{line: c.reader.line[:0]}, false
	x.sent.Store(false)
}

// surplus says that there are too many connections: this one is closed after its exchange.
func (c *upstreamConn) surplus() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset = true
}

// awaitReading waits until net/http has used up what it has read, which belongs to the last
// answer: what is left of it, because the application sent more than it said, would be the
// answer to this request. Whoever gets that closes the connection ([exchange.begun]). The
// caller holds the lock.
func (c *upstreamConn) awaitReading() error {
	for !c.reading && !c.closed {
		if c.changed == nil {
			c.changed = make(chan struct{})
		}
		changed := c.changed
		c.mu.Unlock()
		<-changed
		c.mu.Lock()
	}
	if c.closed {
		return net.ErrClosed
	}
	return nil
}

// notify wakes whoever waits for a change. The caller holds the lock.
func (c *upstreamConn) notify() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// Close implements net.Conn.
func (c *upstreamConn) Close() error {
	c.mu.Lock()
	c.closed = true
	reset := c.reset
	c.notify()
	c.mu.Unlock()
	if reset {
		// Whoever closes first keeps the port for a minute otherwise, and clients that ask
		// for what they have already, or all at once, would leave none to connect from.
		below := c.Conn
		if secure, ok := below.(*tls.Conn); ok {
			below = secure.NetConn()
		}
		if tcp, ok := below.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // at worst the port is kept
		}
	}
	if c.free != nil {
		defer c.free()
	}
	return c.Conn.Close()
}

// Write implements net.Conn.
func (c *upstreamConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if !c.heading {
		c.mu.Unlock()
		return c.Conn.Write(b)
	}
	c.head = append(c.head, b...)
	end := bytes.Index(c.head, []byte("\r\n\r\n"))
	if end < 0 {
		c.mu.Unlock()
		return len(b), nil
	}
	if err := c.awaitReading(); err != nil {
		c.mu.Unlock()
		return 0, err
	}
	end += 4
	c.x.sent.Store(true)
	c.sent = rewriteHead(c.sent[:0], c.head[:end], c.x.target, c.x.sentZeroLength)
	c.sent = append(c.sent, c.head[end:]...)
	c.heading = false
	out := c.sent
	c.mu.Unlock()
	if _, err := c.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read implements net.Conn.
func (c *upstreamConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	c.reading = true
	c.notify()
	c.mu.Unlock()
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if n > 0 && c.x != nil && !c.answered {
		c.answered = c.reader.read(b[:n], c.x.headRead)
		if c.answered && c.reader.head.trailsBody() {
			err = io.EOF // net/http sends no other request on this connection
			c.reset = c.x.in.ContentLength == 0
		}
	}
	return n, err
}

// CloseWrite shuts the sending side, for tunnels.
func (c *upstreamConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
