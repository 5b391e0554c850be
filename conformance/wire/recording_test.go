package wire_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/conformance/wire/wiretest"
)

func TestRecord(t *testing.T) {
	const head = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 400 Bad  REQUEST\nx-A:  1 \n\n"
	for name, test := range map[string]struct {
		raw, body, received string
		cut, fails          bool
	}{
		"as it came":         {head + "xyz\x00", "xyz\x00", head + "xyz\x00", false, false},
		"as long as allowed": {head + "12345678", "12345678", head + "12345678", false, false},
		"to the end":         {head + "123456789", "12345678", head + "123456789", true, false},
		"of a length":        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", "12345678", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", true, false},
		"in chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n", "12345678",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n", true, false},
		"no HTTP": {"SSH-2.0-OpenSSH\r\n", "", "SSH-2.0-OpenSSH\r\n", false, true},
		"nothing": {"", "", "", false, true},
	} {
		base, requests := wiretest.Serve(t, test.raw)
		got, recording, err := client(t, base+"/v1").Record(t.Context(), wire.Request{Method: "GET", Path: "/"}, 8)
		if (err != nil) != test.fails {
			t.Fatalf("%s: %v", name, err)
		}
		if sent := <-requests; sent != string(recording.Sent) || !strings.HasPrefix(sent, "GET /v1/ HTTP/1.1\r\n") {
			t.Errorf("%s: sent %q, recorded %q", name, sent, recording.Sent)
		}
		if diff := cmp.Diff(test.received, string(recording.Received)); diff != "" || recording.Cut != test.cut {
			t.Errorf("%s: cut %v\n%s", name, recording.Cut, diff)
		}
		if err == nil && string(got.Body) != test.body {
			t.Errorf("%s: body %q, want %q", name, got.Body, test.body)
		}
	}
}

// A server that never comes to an end of its heads fills no memory.
func TestRecordIsBounded(t *testing.T) {
	const head = "the response's head is over 65536 bytes"
	for name, test := range map[string]struct{ raw, problem string }{
		"endless header":            {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 1<<20), head},
		"endless headers":           {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 1<<18), head},
		"endless interim responses": {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1<<16), head},
		"endless tiny chunks":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("x", 4000)+"\r\na\r\n", 1<<8), ""},
	} {
		base, _ := wiretest.Serve(t, test.raw)
		_, recording, err := client(t, base).Record(t.Context(), wire.Request{Method: "GET", Path: "/"}, 8)
		wantKind(t, err, wire.BadResponse)
		if err == nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(recording.Received); n == 0 || n > 64<<10+8 {
			t.Errorf("%s: %d bytes kept", name, n)
		}
	}
}

// A client with addresses of its own connects to these, and never asks what the name resolves to.
func TestAt(t *testing.T) {
	base, requests := wiretest.Serve(t, "HTTP/1.1 204 No Content\r\n\r\n")
	u, _ := url.Parse(base)
	there := netip.MustParseAddrPort(u.Host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := netip.MustParseAddrPort(listener.Addr().String())
	listener.Close()

	c := client(t, "http://no-such-host.invalid:7")
	if c.Address() != "no-such-host.invalid:7" {
		t.Errorf("address %s", c.Address())
	}
	if _, err := c.At(dead, there).Do(t.Context(), wire.Request{Method: "GET", Path: "/"}); err != nil {
		t.Fatal(err)
	}
	if sent := <-requests; !strings.Contains(sent, "\r\nHost: no-such-host.invalid:7\r\n") {
		t.Errorf("sent %q", sent)
	}
	_, err = c.At(dead).Do(t.Context(), wire.Request{Method: "GET", Path: "/"})
	wantKind(t, err, wire.Unreachable)
	_, err = client(t, base).At().Do(t.Context(), wire.Request{Method: "GET", Path: "/"})
	wantKind(t, err, wire.Unreachable)
}

// The certificate has to be that of the name in the URL, wherever the client connects to.
func TestAtWithTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	there := netip.MustParseAddrPort(server.Listener.Addr().String())
	for name, right := range map[string]bool{"example.com": true, "example.org": false} {
		c, err := wire.NewClient("https://"+name, 5*time.Second, &tls.Config{RootCAs: roots})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.At(there).Do(t.Context(), wire.Request{Method: "GET", Path: "/"})
		switch {
		case !right:
			wantKind(t, err, wire.Unreachable)
		case err != nil:
			t.Fatal(err)
		case string(got.Body) != name:
			t.Errorf("host %q", got.Body)
		}
	}
}
