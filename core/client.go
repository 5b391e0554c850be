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
	networks := c.Networks()
	narrowest := networks[len(networks)-1]
	switch {
	case !narrowest.IsValid():
		return ""
	case narrowest.IsSingleIP():
		return narrowest.Addr().String()
	}
	return narrowest.String()
}

// Networks returns the networks of the client that may belong to one customer, the widest
// first: in IPv6 the /48 and the /56 that providers delegate (RFC 6177), and the /64; in
// IPv4 the /24, the least that is routed, and the address. Where clients compete, each of
// them counts as one. Clients of unknown address share one, the zero prefix.
func (c Client) Networks() []netip.Prefix {
	a := c.Address.Unmap().WithZone("")
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
		return []int{24, 32}
	case a.Is6():
		return []int{48, 56, 64}
	}
	return []int{0}
}
