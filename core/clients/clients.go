// Package clients knows who sends a request, and which networks a client belongs to.
package clients

import (
	"context"
	"net/netip"
)

// A Client is the sender of a request, for rate limits and the audit log.
type Client struct {
	// Address is the client's address, behind trusted proxies. The zero one is unknown,
	// and not rate-limited.
	Address netip.Addr
	// RequestID is the request's id in logs.
	RequestID string
}

type clientKey struct{}

// With returns a context for the requests of a client. resolve is called when the
// client is needed, which no token check does, and perhaps more than once.
func With(ctx context.Context, resolve func() Client) context.Context {
	return context.WithValue(ctx, clientKey{}, resolve)
}

// Request is a request as whoever receives it knows it. The engine calls the methods, all of them
// from the goroutine of the request.
type Request interface {
	// Client returns the client, as of With.
	Client() Client
	// Identify is told the username of the account whose token or password was good.
	Identify(username string)
	// Present is told each token or password that the client sent, good or not.
	Present(secret string)
}

// WithRequest is With for a request that wants to know more of itself.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, clientKey{}, r)
}

// IsKey reports whether a key of context values is that of the client: a context of whoever receives
// requests may have its Request as the value, instead of another context around it.
func IsKey(key any) bool {
	_, ok := key.(clientKey)
	return ok
}

// Of returns the client of a context, or the zero one.
func Of(ctx context.Context) Client {
	switch v := ctx.Value(clientKey{}).(type) {
	case func() Client:
		return v()
	case Request:
		return v.Client()
	}
	return Client{}
}

// Identify tells who receives the request of the username of the account whose token or
// password was good.
func Identify(ctx context.Context, username string) {
	if r, ok := ctx.Value(clientKey{}).(Request); ok {
		r.Identify(username)
	}
}

// Present tells who receives the request of a secret in it.
func Present(ctx context.Context, secret string) {
	if r, ok := ctx.Value(clientKey{}).(Request); ok {
		r.Present(secret)
	}
}

// Network returns what counts as one client to limits: an IPv4 address, or the IPv6 /64 that
// one subscriber has at least (RFC 6177). It is empty if the address is unknown.
func (c Client) Network() string {
	narrowest := c.Subscriber()
	switch {
	case !narrowest.IsValid():
		return ""
	case narrowest.IsSingleIP():
		return narrowest.Addr().String()
	}
	return narrowest.String()
}

// Subscriber returns the narrowest of Networks.
func (c Client) Subscriber() netip.Prefix {
	const ipv4, ipv6 = 32, 64
	a := translated(c.Address.Unmap().WithZone(""))
	bits := ipv6
	if a.Is4() {
		bits = ipv4
	}
	p, _ := a.Prefix(bits) // fails only for the zero address
	return p
}

// wellKnownPrefix is that of IPv4 clients behind a translator to IPv6 (NAT64, SIIT), with the
// IPv4 address in the last four bytes (RFC 6052, 2.1).
var wellKnownPrefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{1: 0x64, 2: 0xff, 3: 0x9b}), 96)

// translated returns the IPv4 address in one that a translator made. They share one /64.
func translated(a netip.Addr) netip.Addr {
	if !wellKnownPrefix.Contains(a) {
		return a
	}
	b := a.As16()
	return netip.AddrFrom4([4]byte(b[12:]))
}

// Networks returns the networks of the client that may belong to one customer, the widest
// first: in IPv6 the /32, the least that a registry gives a provider, the /48 and the /56
// that providers delegate (RFC 6177), and the /64; in IPv4, also behind a translator
// (RFC 6052), the /16, the /24, the least that is routed, and the address. Where clients
// compete, each of them counts as one. Clients of unknown address share one, the zero prefix.
func (c Client) Networks() []netip.Prefix {
	a := translated(c.Address.Unmap().WithZone(""))
	var networks []netip.Prefix
	for _, bits := range prefixLengths(a) {
		p, _ := a.Prefix(bits) // which all addresses have
		networks = append(networks, p)
	}
	return networks
}

func prefixLengths(a netip.Addr) []int {
	switch {
	case a.Is4():
		return []int{16, 24, 32}
	case a.Is6():
		return []int{32, 48, 56, 64}
	}
	return []int{0}
}
