package flagvalue

import (
	"net"
	"net/netip"
	"strings"
)

// Endpoint splits a valid address. The host is empty if it stands for all.
func Endpoint(address string) (host string, port int) {
	host, word, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	port, _ = net.LookupPort("tcp", word) // 0, which is nobody else's, if it is none
	host = strings.ToLower(host)
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if host = ip.Unmap().String(); ip.Unmap().IsUnspecified() {
			host = ""
		}
	}
	return host, port
}

// IsLoopback reports whether a host is of this machine alone: localhost, or a loopback address.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// OnLoopback is IsLoopback for the host of an address, HOST:PORT.
func OnLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && IsLoopback(host)
}
