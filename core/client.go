package core

import (
	"context"
	"net/netip"
)

// Client says who sends a request, as far as limits and the audit record care.
type Client struct {
	// Address is the client's, behind proxies that are trusted; the zero one is
	// nobody's, and nothing is counted for it.
	Address netip.Addr
	// RequestID names the request in logs.
	RequestID string
}

type clientKey struct{}

// WithClient gives a context for the requests of a client. The client must not
// change as long as the context is in use.
func WithClient(ctx context.Context, c *Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// ClientOf gives the client that a context was made for, or the zero one.
func ClientOf(ctx context.Context) Client {
	if c, ok := ctx.Value(clientKey{}).(*Client); ok {
		return *c
	}
	return Client{}
}

// network is what is counted as one address: an IPv4 address, or the /64 that
// one IPv6 subscriber has at least (RFC 6177).
func limitPrefix(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		const subscriber = 64
		if p, err := a.Prefix(subscriber); err == nil {
			return p.String()
		}
	}
	return a.String()
}
