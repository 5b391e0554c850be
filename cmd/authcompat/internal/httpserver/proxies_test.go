package httpserver

import (
	"net/http/httptest"
	"testing"
)

func TestClientAddress(t *testing.T) {
	p, err := ParseProxies([]string{"10.0.0.0/8", "127.0.0.1", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
		proxied    bool
	}{
		{"no proxy", "192.0.2.1:1", []string{"198.51.100.7"}, "192.0.2.1", false},
		{"a proxy", "10.1.1.1:1", []string{"198.51.100.7"}, "198.51.100.7", true},
		{"a client's own header", "10.1.1.1:1", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7", true},
		{"two proxies", "127.0.0.1:1", []string{"203.0.113.9, 198.51.100.7, 10.2.2.2"}, "198.51.100.7", true},
		{"two lines", "127.0.0.1:1", []string{"203.0.113.9", "198.51.100.7,10.2.2.2"}, "198.51.100.7", true},
		{"no header", "127.0.0.1:1", nil, "127.0.0.1", true},
		{"garbage", "127.0.0.1:1", []string{"198.51.100.7, unknown, 10.2.2.2"}, "10.2.2.2", true},
		{"a port", "127.0.0.1:1", []string{"198.51.100.7:4711"}, "198.51.100.7", true},
		{"IPv6", "[2001:db8::1]:1", []string{"[2001:db9::7]:80"}, "2001:db9::7", true},
		{"IPv6 in brackets", "127.0.0.1:1", []string{"203.0.113.9, [2001:db9::7]"}, "2001:db9::7", true},
		{"a proxy in brackets", "127.0.0.1:1", []string{"198.51.100.7, [2001:db8::1]"}, "198.51.100.7", true},
		{"mapped, in brackets", "127.0.0.1:1", []string{"[::ffff:198.51.100.7]"}, "198.51.100.7", true},
		{"IPv4 in brackets", "127.0.0.1:1", []string{"[198.51.100.7]"}, "127.0.0.1", true},
		{"half a bracket", "127.0.0.1:1", []string{"[2001:db9::7"}, "127.0.0.1", true},
		{"mapped", "[::ffff:10.1.1.1]:1", []string{"::ffff:198.51.100.7"}, "198.51.100.7", true},
		{"proxies alone", "127.0.0.1:1", []string{"10.3.3.3"}, "10.3.3.3", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = test.peer
			r.Header["X-Forwarded-For"] = test.forwarded
			address, proxied := p.client(r)
			if address.String() != test.want || proxied != test.proxied {
				t.Errorf("%s, %t, want %s, %t", address, proxied, test.want, test.proxied)
			}
		})
	}
	if _, err := ParseProxies([]string{"10.0.0.0/33"}); err == nil {
		t.Error("a bad network is good")
	}
}
