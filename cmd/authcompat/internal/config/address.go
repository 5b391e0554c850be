package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
)

// checkAddress fails if an address can't be one to listen on. Whether it is an address of
// this machine, and free, only the system knows.
func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		err := fmt.Errorf("%q is no address: want HOST:PORT, for instance %s", text, defaultListen)
		if n, bad := strconv.ParseUint(text, 10, 16); bad == nil { // a port alone
			return fmt.Errorf("%w; did you mean 127.0.0.1:%d?", err, n)
		}
		return err
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q is no address: a port is 0 to 65535, not %q", text, port)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !isHostName(host) {
		return fmt.Errorf("%q is no address: %q is neither an IP address nor the name of a host", text, host)
	}
	return nil
}

// isHostName reports whether a text can be the name of a host (RFC 1123, section 2.1, and
// "_", which some networks use). Digits and dots alone would be an IP address.
func isHostName(s string) bool {
	const digits = "0123456789."
	return strings.Trim(s, digits) != "" && strings.Trim(strings.ToLower(s), digits+"abcdefghijklmnopqrstuvwxyz-_") == ""
}

// collide reports whether two valid addresses can't both be listened on: they have the same
// port, and the same host or one that stands for all hosts. Port 0 never collides: the
// system picks a free one.
func collide(a, b string) bool {
	hostA, portA := flagvalue.Endpoint(a)
	hostB, portB := flagvalue.Endpoint(b)
	return portA == portB && portA != 0 && (hostA == hostB || hostA == "" || hostB == "")
}
