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
