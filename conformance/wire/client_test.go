package wire_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/conformance/wire/wiretest"
)

func client(t *testing.T, base string) *wire.Client {
	t.Helper()
	c, err := wire.NewClient(base, 5*time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRequestBytes(t *testing.T) {
	for _, test := range []struct {
		name    string
		base    string
		request wire.Request
		want    string
	}{
		{"post has a length", "", wire.Request{Method: "POST", Path: "/a/"},
			"POST /a/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
		{"get has none", "", wire.Request{Method: "GET", Path: "/a/?b=c"},
			"GET /a/?b=c HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"},
		{"base path", "/old/", wire.Request{Method: "GET", Path: "/a/"},
			"GET /old/a/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"},
		{"own spelling, repeated, bad bytes", "", wire.Request{Method: "GET", Path: "/", Headers: []wire.Header{
			{Name: "aUthorization", Value: "Token \xff"}, {Name: "aUthorization", Value: ""}, {Name: "host", Value: "h"}}},
			"GET / HTTP/1.1\r\nConnection: close\r\naUthorization: Token \xff\r\naUthorization: \r\nhost: h\r\n\r\n"},
		{"body of a delete", "", wire.Request{Method: "DELETE", Path: "/", Body: []byte("\x00x")},
			"DELETE / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: 2\r\n\r\n\x00x"},
		{"length given", "", wire.Request{Method: "POST", Path: "/", Headers: []wire.Header{{Name: "content-length", Value: "0"}}},
			"POST / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\ncontent-length: 0\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, requests := wiretest.Serve(t, "HTTP/1.0 204 NO CONTENT\r\n\r\n")
			if _, err := client(t, base+test.base).Do(t.Context(), test.request); err != nil {
				t.Fatal(err)
			}
			got := strings.Replace(<-requests, strings.TrimPrefix(base, "http://"), "HOST", 1)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestResponses(t *testing.T) {
	for _, test := range []struct {
		name   string
		method string
		raw    string
		want   wire.Response
	}{
		{"length", "GET", "HTTP/1.1 200 OK\r\nWWW-Authenticate:  Token \r\ncontent-length: 2\r\n\r\nabc",
			wire.Response{Status: 200, Body: []byte("ab"), Headers: []wire.Header{
				{Name: "WWW-Authenticate", Value: "Token"}, {Name: "content-length", Value: "2"}}}},
		{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
			wire.Response{Status: 200, Body: []byte("abcd"), Headers: []wire.Header{{Name: "Transfer-Encoding", Value: "chunked"}}}},
		{"to the end, bare newlines", "GET", "HTTP/1.0 400 BAD REQUEST\nA: 1\nA: 2\n\nxyz",
			wire.Response{Status: 400, Body: []byte("xyz"), Headers: []wire.Header{{Name: "A", Value: "1"}, {Name: "A", Value: "2"}}}},
		{"head", "HEAD", "HTTP/1.1 405 X\r\nContent-Length: 9\r\n\r\n",
			wire.Response{Status: 405, Headers: []wire.Header{{Name: "Content-Length", Value: "9"}}}},
		{"interim", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\n\r\n", wire.Response{Status: 204}},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, _ := wiretest.Serve(t, test.raw)
			got, err := client(t, base).Do(t.Context(), wire.Request{Method: test.method, Path: "/"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHeaderValue(t *testing.T) {
	r := wire.Response{Headers: []wire.Header{{Name: "Vary", Value: "Accept"}, {Name: "vary", Value: "Cookie"}}}
	if got, ok := r.Value("VARY"); got != "Accept, Cookie" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, ok := r.Value("Allow"); got != "" || ok {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestBadResponses(t *testing.T) {
	for name, raw := range map[string]string{
		"closed at once":       "",
		"no status line":       "hello\r\n\r\n",
		"status is a word":     "HTTP/1.1 abc\r\n\r\n",
		"HTTP/2":               "HTTP/2 200\r\n\r\n",
		"header without colon": "HTTP/1.1 200 OK\r\nfoo\r\n\r\n",
		"head cut":             "HTTP/1.1 200 OK\r\nA: b\r\n",
		"body cut":             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
		"chunk cut":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"length is a word":     "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"length too large":     "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
		"coding unknown":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"endless header":       "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 70<<10) + "\r\n\r\n",
		"endless body":         "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("a", 8<<20+1),
	} {
		t.Run(name, func(t *testing.T) {
			base, _ := wiretest.Serve(t, raw)
			_, err := client(t, base).Do(t.Context(), wire.Request{Method: "GET", Path: "/"})
			wantKind(t, err, wire.BadResponse)
		})
	}
}

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, err = client(t, "http://"+address).Do(t.Context(), wire.Request{Method: "GET", Path: "/"})
	wantKind(t, err, wire.Unreachable)
}

func TestHangTimesOut(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	c, err := wire.NewClient(server.URL, 50*time.Millisecond, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Do(t.Context(), wire.Request{Method: "GET", Path: "/"})
	wantKind(t, err, wire.TimedOut)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel(); <-release }))
	defer server.Close()
	defer close(release)
	_, err := client(t, server.URL).Do(ctx, wire.Request{Method: "GET", Path: "/"})
	wantKind(t, err, wire.Cancelled)
}

// The response of a server that answers a large body early and closes the connection is still read.
func TestEarlyResponse(t *testing.T) {
	base, _ := wiretest.Serve(t, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
	got, err := client(t, base).Do(t.Context(), wire.Request{Method: "POST", Path: "/", Body: make([]byte, 64<<10)})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != 413 {
		t.Errorf("status %d", got.Status)
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path)
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c, err := wire.NewClient(server.URL+"/v1", 5*time.Second, &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Do(t.Context(), wire.Request{Method: "GET", Path: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Body) != "/v1/x" {
		t.Errorf("body %q", got.Body)
	}
	_, err = client(t, server.URL).Do(t.Context(), wire.Request{Method: "GET", Path: "/"})
	wantKind(t, err, wire.Unreachable)
}

func TestBadBase(t *testing.T) {
	for _, base := range []string{"", "localhost:8000", "ftp://h/", "http://", "http://h/?q", "http://u:p@h/", "http://h:x/", "http://u:p@h:x/", "\x7f"} {
		if _, err := wire.NewClient(base, time.Second, nil); err == nil {
			t.Errorf("%q: accepted", base)
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: the password is in the error", base)
		}
	}
	if _, err := wire.NewClient("http://h", 0, nil); err == nil {
		t.Error("no timeout: accepted")
	}
}

func wantKind(t *testing.T, err error, kind wire.Kind) {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("got %v, want kind %d", err, kind)
	}
}
