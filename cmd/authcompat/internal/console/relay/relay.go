// Package relay sends the requests that somebody writes in the console, byte for byte, to the servers that
// were named at the start and to nothing else.
//
// # What can be reached
//
// A request goes to one of the targets, by its name. The addresses of a target are looked up once, by
// New, and only these are connected to: what a name resolves to later is never asked. An https target has to show a
// certificate of the name in its URL, unless its TLS settings say otherwise. Redirects are shown and not followed.
//
// # What a request may be
//
// One request on a connection of its own, and nothing that a server, or a proxy before it, could take for a second one:
//
//   - the method is a token (RFC 9110, 5.6.2) of at most 40 characters, and not CONNECT
//   - the path begins with a slash, as the origin form (RFC 9112, 3.2.1), and has no blank and no control
//     character; bytes from 0x80 are allowed
//   - the name of a header is a token; its value has no line end and no NUL. Any header goes, Host, too: it
//     changes who is spoken to at an address, and not the address
//   - Content-Length, if it is given, stands once and is the length of the body; Transfer-Encoding and Upgrade are refused, and
//     Connection is close or keep-alive
//
// What is refused is a *Refusal, and nothing has been sent.
package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance/wire"
)

// The bounds of requests and responses.
const (
	// MaxRequest is how many bytes the body of a request may have.
	MaxRequest = 1 << 20
	// MaxResponse is how many bytes of a response's body are read.
	MaxResponse = 4 << 20
	// Timeout is how long a request with its response may take, from connecting on.
	Timeout = 30 * time.Second
	// MaxParallel is how many requests are under way at once.
	MaxParallel = 8

	maxHead       = 16 << 10         // method, path and headers of a request, in bytes
	lookUpTimeout = 10 * time.Second // of the addresses of all targets
)

// ErrBusy means that MaxParallel requests are under way.
var ErrBusy = errors.New("too many requests are under way")

// A Resolver looks names up. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options are what a Relay works with. The zero Options are right for all but tests.
type Options struct {
	Resolver Resolver      // nil: that of this machine
	Timeout  time.Duration // 0: Timeout
}

// A Relay sends requests to its targets. It is safe for concurrent use.
type Relay struct {
	clients map[string]*wire.Client
	places  chan struct{}
}

// New looks up the addresses of all targets, in ten seconds at most. The error is that of the first that is no http or
// https URL, or whose name is unknown.
func New(ctx context.Context, targets []target.Target, o Options) (*Relay, error) {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Timeout == 0 {
		o.Timeout = Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	r := &Relay{clients: map[string]*wire.Client{}, places: make(chan struct{}, MaxParallel)}
	for _, t := range targets {
		client, err := pinned(ctx, t, o)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.Name, err)
		}
		r.clients[t.Name] = client
	}
	return r, nil
}

// pinned returns a client that connects to what the name of the target resolves to now.
func pinned(ctx context.Context, t target.Target, o Options) (*wire.Client, error) {
	client, err := wire.NewClient(t.URL, o.Timeout, t.TLS)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(client.Address())
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%s is no port", port)
	}
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, literal)
	} else if addresses, err = o.Resolver.LookupNetIP(ctx, "ip", host); err != nil {
		return nil, fmt.Errorf("look up its address: %w", err)
	}
	var there []netip.AddrPort
	for _, a := range addresses {
		there = append(there, netip.AddrPortFrom(a.Unmap(), uint16(number)))
	}
	return client.At(there...), nil
}

// A Client sends requests to one target, those of Check alone.
type Client struct{ *wire.Client }

// Do implements conformance.Client. The error is a *Refusal or a *wire.Error.
func (c Client) Do(ctx context.Context, r wire.Request) (*wire.Response, error) {
	if err := Check(r); err != nil {
		return nil, err
	}
	return c.Client.Do(ctx, r)
}

// Client returns the client of a target, which connects to its addresses alone: for the requests of exchange
// files, whose bodies are as long as the file has them. The error is a *Refusal.
func (r *Relay) Client(target string) (Client, error) {
	client, ok := r.clients[target]
	if !ok {
		return Client{}, refuse("there is no target of this name: only the servers that were named at the start can be reached")
	}
	return Client{client}, nil
}

// Enter takes one of the places for requests, and returns what gives it back. The error is ErrBusy.
func (r *Relay) Enter() (leave func(), err error) {
	select {
	case r.places <- struct{}{}:
		return func() { <-r.places }, nil
	default:
		return nil, ErrBusy
	}
}

// An Answer is what became of a request that was not refused.
type Answer struct {
	Recording *wire.Recording
	Response  *wire.Response // nil if there was none
	Problem   string         // why there was none, in a sentence; empty if there was one
	Took      time.Duration
}

// Send sends a request to a target, and reads its response. The caller has a place (Enter). The error is a
// *Refusal, and nothing else: what happens on the network is part of the Answer.
func (r *Relay) Send(ctx context.Context, target string, request wire.Request) (*Answer, error) {
	client, err := r.Client(target)
	if err != nil {
		return nil, err
	}
	if err := Check(request); err != nil {
		return nil, err
	}
	start := time.Now()
	response, recording, err := client.Record(ctx, request, MaxResponse)
	answer := &Answer{Recording: recording, Response: response, Took: time.Since(start)}
	if err != nil {
		answer.Problem = inWords(err)
	}
	return answer, nil
}

// inWords says why there is no response.
func inWords(err error) string {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	switch {
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "The server's certificate is not trusted, so nothing was sent: " + err.Error()
	case errors.As(err, new(tls.RecordHeaderError)):
		return "What answers there speaks no TLS, so nothing was sent: " + err.Error()
	case e.Kind == wire.Unreachable:
		return "The server can't be reached, so nothing was sent: " + err.Error()
	case e.Kind == wire.TimedOut:
		return "The server did not answer in time: " + err.Error()
	case e.Kind == wire.Cancelled:
		return "The request was given up"
	}
	return "What came is no HTTP response: " + err.Error()
}
