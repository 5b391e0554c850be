package core

import (
	"context"
	"net/netip"
)

// Client is the sender of a request, for rate limits and the audit log.
type Client struct {
	// Address is the client's address, behind trusted proxies. The zero one is unknown,
	// and not rate-limited.
	Address netip.Addr
	// RequestID is the request's id in logs.
	RequestID string
}

type clientKey struct{}

// WithClient returns a context for the requests of a client. resolve is called when the
// client is needed, which no token check does, and perhaps more than once.
func WithClient(ctx context.Context, resolve func() Client) context.Context {
	return context.WithValue(ctx, clientKey{}, resolve)
}

// ClientOf returns the client of a context, or the zero one.
func ClientOf(ctx context.Context) Client {
	if resolve, ok := ctx.Value(clientKey{}).(func() Client); ok {
		return resolve()
	}
	return Client{}
}

// Network returns what counts as one client to limits: an IPv4 address, or the IPv6 /64 that
// one subscriber has at least (RFC 6177). It is empty if the address is unknown.
func (c Client) Network() string {
	a := c.Address.Unmap().WithZone("")
	if !a.IsValid() {
		return ""
	}
	if a.Is6() {
		const subscriber = 64
		if p, err := a.Prefix(subscriber); err == nil {
			return p.String()
		}
	}
	return a.String()
}
