package front_test

import (
	"bufio"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/dialects/front"
)

// TestHead tells what the application would get.
func TestHead(t *testing.T) {
	f := front.New(nil, front.Options{
		Old: front.Application{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:9"}}, Scheme: "https",
		Trusted: func(a netip.Addr) bool { return a == netip.MustParseAddr("192.0.2.1") },
	})
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("POST /a%2fb HTTP/1.1\r\nHost: old.example\r\nX-Forwarded-For: 192.0.2.9\r\nForwarded: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:1"
	const want = "POST /a%2fb HTTP/1.1\r\nHost: old.example\r\nX-Forwarded-For: 192.0.2.9, 192.0.2.1\r\nX-Forwarded-Host: old.example\r\nX-Forwarded-Proto: https\r\n\r\n"
	if got := f.Head(r); got != want {
		t.Errorf("%q", got)
	}
}
