// Package pgframes limits what a server may announce, and when it may answer, on a connection of PostgreSQL's
// protocol. lib/pq allocates a message of any announced length before it arrives, up to 4
// GiB, and reads an error that is not a message without a limit (GO-2026-6172 and
// GO-2026-6173, in v1.12.3).
package pgframes

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

const (
	// maxMessage is the length of a message, in bytes, that is let through: a row of a user
	// has some kilobytes.
	maxMessage = 64 << 20
	// maxErrorMessage is from where on lib/pq takes an error for text (MAX_ERRLEN in
	// src/interfaces/libpq/fe-protocol3.c of PostgreSQL 15).
	maxErrorMessage = 30000
	// maxErrorText is how much of such a text is let through, in bytes.
	maxErrorText = 32 << 10
)

const (
	headerSize = 5          // type and length
	sslRequest = 80877103   // src/include/libpq/pqcomm.h of PostgreSQL 15
	gssRequest = 80877104   // likewise
	tlsRecord  = byte(0x16) // first byte of a TLS handshake, with sslnegotiation=direct
)

// Limit returns the connection with the limits. They end where TLS begins: what is
// encrypted can't be seen, and comes from a server that has been verified, if the DSN says
// so.
func Limit(c net.Conn) net.Conn { return &conn{Conn: c} }

// Dialer opens limited connections. It is a pq.DialerContext.
type Dialer struct{ net.Dialer }

// DialContext implements pq.DialerContext.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return Limit(c), nil
}

// Dial implements pq.Dialer.
func (d Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (d Dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	d.Timeout = timeout
	return d.Dial(network, address)
}

// ErrMalformed is the error of a server that answers something else than messages of the
// protocol.
var ErrMalformed = errors.New("what the server says is not PostgreSQL's protocol")

// connector is lib/pq's, which panics at malformed messages.
type connector struct{ driver.Connector }

// NewConnector returns lib/pq's connector for a configuration, whose dialer limits
// connections.
func NewConnector(c pq.Config, d pq.Dialer) (driver.Connector, error) {
	k, err := pq.NewConnectorConfig(c)
	if err != nil {
		return nil, err
	}
	k.Dialer(d)
	return connector{k}, nil
}

// Connect implements driver.Connector. It fails with ErrMalformed, or as lib/pq does.
func (c connector) Connect(ctx context.Context) (conn driver.Conn, err error) {
	defer func() {
		if recover() != nil {
			conn, err = nil, ErrMalformed
		}
	}()
	return c.Connector.Connect(ctx)
}

// conn is used by one goroutine for reading and one for writing, which take turns: a
// server answers.
type conn struct {
	net.Conn
	begun     bool // the client has written
	asked     bool // the next byte from the server answers whether to encrypt
	encrypted bool

	header [headerSize]byte
	have   int         // bytes of header
	left   int64       // bytes of the message or the text to come
	text   bool        // what comes is text, and the last that comes
	ready  atomic.Bool // the server has answered all that the client has asked; COPY reads and writes at the same time
	failed error
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	switch {
	case c.encrypted:
	case !c.begun && len(b) > 0 && b[0] == tlsRecord:
		c.encrypted = true
	case len(b) == 8 && (binary.BigEndian.Uint32(b[4:]) == sslRequest || binary.BigEndian.Uint32(b[4:]) == gssRequest):
		c.asked = true
	}
	c.begun = true
	c.ready.Store(false)
	return c.Conn.Write(b)
}

// Read implements net.Conn. It fails instead of returning the last byte of a header that
// announces too much.
func (c *conn) Read(b []byte) (int, error) {
	if c.encrypted {
		return c.Conn.Read(b)
	}
	if c.failed != nil {
		return 0, c.failed
	}
	n, err := c.Conn.Read(b)
	good := c.check(b[:n])
	if c.failed != nil {
		return good, c.failed
	}
	return n, err
}

// check follows what was read, and returns how much of it is good.
func (c *conn) check(b []byte) int {
	for i := 0; i < len(b); {
		switch {
		case c.encrypted:
			return len(b)
		case c.asked:
			c.asked = false
			if b[i] == 'S' || b[i] == 'G' {
				c.encrypted = true
				return len(b)
			}
			if b[i] == 'N' {
				i++
			}
		case c.left > 0:
			n := min(c.left, int64(len(b)-i))
			c.left -= n
			i += int(n)
		case c.text:
			c.failed = fmt.Errorf("the server's error has more than %d bytes", maxErrorText)
			return i
		default:
			c.header[c.have] = b[i]
			c.have++
			if c.have == headerSize && !c.begin() {
				return i
			}
			i++
		}
	}
	return len(b)
}

// begin begins a message whose header is complete. It reports whether that is let through.
func (c *conn) begin() bool {
	c.have = 0
	length := int64(binary.BigEndian.Uint32(c.header[1:])) - 4
	switch {
	case c.ready.Load() && !unasked(c.header[0]):
		c.failed = errUnasked
		return false
	case c.header[0] == 'E' && (length < 4 || length > maxErrorMessage):
		c.text, c.left = true, maxErrorText
	case length < 0 || length > maxMessage:
		c.failed = fmt.Errorf("the server announces a message of %d bytes, of more than %d", length, maxMessage)
		return false
	default:
		if c.left = length; c.header[0] == readyForQuery {
			c.ready.Store(true)
		}
	}
	return true
}

// readyForQuery is the type of the message that ends an answer.
const readyForQuery = 'Z'

// errUnasked is the error of a server that gives another answer than to what it was asked: lib/pq would take it for that to the
// next question.
var errUnasked = errors.New("the server answers what nobody has asked")

// unasked tells whether a server may send a message of a type at any time: notices, parameters, notifications, and the error
// with which it ends the connection (PostgreSQL 15, 55.2.7, Asynchronous Operations).
func unasked(kind byte) bool { return kind == 'N' || kind == 'S' || kind == 'A' || kind == 'E' }
