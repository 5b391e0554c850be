package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// A Client sends requests to one address. It is safe for concurrent use.
type Client struct {
	address string           // host:port
	pinned  []netip.AddrPort // if not nil, what to connect to instead of the address
	host    string           // the Host header
	base    string           // the path before every request's path, without a slash at its end
	tls     *tls.Config
	timeout time.Duration
}

// NewClient returns a client for an http or https URL, which may have a base path. A request and
// its response together take at most the timeout. The TLS settings may be nil for the defaults; they
// are used for https only.
func NewClient(base string, timeout time.Duration, settings *tls.Config) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("not a URL") // not repeated, because it may contain a password
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Opaque != "" {
		return nil, errors.New("a base URL has no user, query or fragment")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not an http:// or https:// URL with a host", base)
	}
	if timeout <= 0 {
		return nil, errors.New("the timeout must be more than 0")
	}
	c := &Client{host: u.Host, base: strings.TrimRight(u.EscapedPath(), "/"), timeout: timeout}
	port := u.Port()
	if u.Scheme == "https" {
		c.tls = tlsSettings(settings, u.Hostname())
		if port == "" {
			port = "443"
		}
	}
	if port == "" {
		port = "80"
	}
	c.address = net.JoinHostPort(u.Hostname(), port)
	return c, nil
}

func tlsSettings(given *tls.Config, host string) *tls.Config {
	settings := &tls.Config{}
	if given != nil {
		settings = given.Clone()
	}
	if settings.ServerName == "" {
		settings.ServerName = host
	}
	settings.NextProtos = []string{"http/1.1"}
	return settings
}

// Sent returns the request as Do sends it: with the path of the base URL, and with all headers.
func (c *Client) Sent(r Request) Request { return r.sent(c.base, c.host) }

// At returns a client for the same URL that connects to the given addresses and to no other, whatever
// the name in the URL resolves to: to the first that accepts, in their order. The Host header and the
// name that a certificate has to have stay those of the URL.
func (c *Client) At(addresses ...netip.AddrPort) *Client {
	pinned := *c
	pinned.pinned = append([]netip.AddrPort{}, addresses...) // never nil: no address is none
	return &pinned
}

// Address returns the host and the port of the URL, joined by a colon; an IPv6 address is in brackets.
func (c *Client) Address() string { return c.address }

// Do sends the request and reads its response. The error is always an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	return c.do(ctx, r, &Recording{}, &limit{bytes: maxBody})
}

// Record is Do, and also returns what went over the connection, of a request that failed, too. A body that
// is longer than maxBody bytes is cut there, which is no error.
func (c *Client) Record(ctx context.Context, r Request, maxBody int) (*Response, *Recording, error) {
	l := &limit{bytes: maxBody, cuts: true}
	recording := &Recording{left: maxBody + maxHead}
	response, err := c.do(ctx, r, recording, l)
	recording.Cut = l.reached
	return response, recording, err
}

func (c *Client) do(ctx context.Context, r Request, recording *Recording, l *limit) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, &Error{Kind: Cancelled, Err: ctx.Err()}
		}
		return nil, &Error{Kind: Unreachable, Err: err}
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, classify(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()

	recording.Sent = r.encode(c.base, c.host)
	// A server may answer and close before it has read a large body, so a failed write is not an
	// error as long as there is a response. Without one, reading fails too.
	go func() { _, _ = conn.Write(recording.Sent) }()
	response, err := readResponse(bufio.NewReader(recording.reader(conn)), r.Method, l)
	if err != nil {
		return nil, classify(ctx, err)
	}
	return response, nil
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	if c.pinned == nil {
		return c.dialAddress(ctx, c.address)
	}
	err := errors.New("there is no address to connect to")
	for i, address := range c.pinned {
		var conn net.Conn
		if conn, err = c.dialOneOf(ctx, len(c.pinned)-i, address); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// dialOneOf connects to an address, and leaves time for the others, so that one where nothing answers does not
// keep them from being tried.
func (c *Client) dialOneOf(ctx context.Context, left int, address netip.AddrPort) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	return c.dialAddress(ctx, address.String())
}

func (c *Client) dialAddress(ctx context.Context, address string) (net.Conn, error) {
	if c.tls != nil {
		return (&tls.Dialer{Config: c.tls}).DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}
