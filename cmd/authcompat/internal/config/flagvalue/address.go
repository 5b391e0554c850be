package flagvalue

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// CheckAddress fails if an address can't be one to listen on. Whether it is an address of
// this machine, and free, only the system knows. The error has an address as an example, whose
// port and host a host or a port alone lack.
func CheckAddress(text, example string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		err := fmt.Errorf("%q is no address: want HOST:PORT, for instance %s", text, example)
		if meant := completed(text, example); meant != "" {
			return fmt.Errorf("%w; did you mean %s?", err, meant)
		}
		return err
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q is no address: a port is 0 to 65535, not %q", text, port)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !IsHostName(host) {
		return fmt.Errorf("%q is no address: %q is neither an IP address nor the name of a host", text, host)
	}
	return nil
}

// completed returns a port alone with the host of another address, and a host alone with its port; empty: it is neither.
func completed(text, from string) string {
	host, port, err := net.SplitHostPort(from)
	if err != nil {
		return ""
	}
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return net.JoinHostPort(host, strconv.FormatUint(n, 10))
	}
	alone := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if ip, err := netip.ParseAddr(alone); err == nil {
		return net.JoinHostPort(ip.String(), port)
	}
	if alone = strings.TrimSuffix(text, ":"); IsHostName(alone) {
		return net.JoinHostPort(alone, port)
	}
	return ""
}

// IsHostName reports whether a text can be the name of a host (RFC 1123, section 2.1, and
// "_", which some networks use). Digits and dots alone would be an IP address.
func IsHostName(s string) bool {
	const digits = "0123456789."
	return strings.Trim(s, digits) != "" && strings.Trim(strings.ToLower(s), digits+"abcdefghijklmnopqrstuvwxyz-_") == ""
}

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
