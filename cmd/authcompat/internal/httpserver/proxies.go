package httpserver

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For and X-Request-Id headers are trusted.
type Proxies []netip.Prefix

// ParseProxies reads networks, as 10.0.0.0/8, and single addresses. The error names
// the flag --trusted-proxy.
func ParseProxies(values []string) (Proxies, error) {
	var p Proxies
	for _, value := range values {
		network, err := ParseProxy(value)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %w", err)
		}
		p = append(p, network)
	}
	return p, nil
}

// ParseProxy reads one network, or a single address.
func ParseProxy(value string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(value)
	if address, single := netip.ParseAddr(value); err != nil && single == nil {
		network, err = address.Prefix(address.BitLen())
	}
	if err != nil {
		return network, fmt.Errorf("%q: want a network such as 10.0.0.0/8, or an address", value)
	}
	return network.Masked(), nil
}

// Trusted reports whether an address is one of the proxies.
func (p Proxies) Trusted(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// client returns the address that a request comes from, and whether it came through a
// trusted proxy. In X-Forwarded-For only what trusted proxies have added counts: the
// client is the first address from the right that is not a trusted proxy.
func (p Proxies) client(r *http.Request) (address netip.Addr, proxied bool) {
	if c := connOf(r.Context()); c != nil {
		return p.clientBehind(c.peer, r)
	}
	return p.clientBehind(addressOf(r.RemoteAddr), r)
}

// addressOf returns the address in one with a port; zero: there is none.
func addressOf(remote string) netip.Addr {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}

// clientBehind is client for a request that a peer has sent.
func (p Proxies) clientBehind(address netip.Addr, r *http.Request) (_ netip.Addr, proxied bool) {
	if !p.Trusted(address) {
		return address, false
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if address = hop.Unmap().WithZone(""); !p.Trusted(address) {
			break
		}
	}
	return address, true
}

// parseHop reads an address, which some proxies write with a port, and an IPv6 address in
// brackets with or without one.
func parseHop(text string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr(), nil
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok && strings.Contains(inner, ":") {
			text = inner
		}
	}
	return netip.ParseAddr(text)
}
