package clients_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/authcompat/authcompat/core/clients"
)

func TestNetworksOfAClient(t *testing.T) {
	for address, want := range map[string]struct{ networks, network string }{
		"192.0.2.77":              {"[192.0.0.0/16 192.0.2.0/24 192.0.2.77/32]", "192.0.2.77"},
		"::ffff:192.0.2.77":       {"[192.0.0.0/16 192.0.2.0/24 192.0.2.77/32]", "192.0.2.77"},
		"64:ff9b::192.0.2.77":     {"[192.0.0.0/16 192.0.2.0/24 192.0.2.77/32]", "192.0.2.77"},
		"64:ff9b:0:0:0:1::":       {"[64:ff9b::/32 64:ff9b::/48 64:ff9b::/56 64:ff9b::/64]", "64:ff9b::/64"},
		"64:ff9b:1::192.0.2.77":   {"[64:ff9b::/32 64:ff9b:1::/48 64:ff9b:1::/56 64:ff9b:1::/64]", "64:ff9b:1::/64"},
		"2001:db8:1:abcd:1::1":    {"[2001:db8::/32 2001:db8:1::/48 2001:db8:1:ab00::/56 2001:db8:1:abcd::/64]", "2001:db8:1:abcd::/64"},
		"fe80::1%eth0":            {"[fe80::/32 fe80::/48 fe80::/56 fe80::/64]", "fe80::/64"},
		"2001:db8:ffff:ffff::1:1": {"[2001:db8::/32 2001:db8:ffff::/48 2001:db8:ffff:ff00::/56 2001:db8:ffff:ffff::/64]", "2001:db8:ffff:ffff::/64"},
	} {
		c := clients.Client{Address: netip.MustParseAddr(address)}
		if got := fmt.Sprint(c.Networks()); got != want.networks || c.Network() != want.network {
			t.Errorf("%s is in %s, %s; want %s, %s", address, got, c.Network(), want.networks, want.network)
		}
	}
	if n := (clients.Client{}).Networks(); len(n) != 1 || n[0] != (netip.Prefix{}) || (clients.Client{}).Network() != "" {
		t.Errorf("a client of unknown address is in %v", n)
	}
}
