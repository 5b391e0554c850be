//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v: %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestSpread(t *testing.T) {
	if got, want := spread([]float64{2, 1, 4}, "%.1f"), "2.0  (1.0 to 4.0)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRequests parses prepared requests as a server does.
func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		number int64
		path   string
	}{
		{0, "/api/account/user00000001/"},
		{9, "/api/account/user00000001/"},
		{10, "/api/account/user00000002/"},
		{123456789, "/api/account/user12345679/"},
	} {
		request, o := template("127.0.0.1:80")
		fillIn(request, o, tt.number)
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			t.Fatal(err)
		}
		if r.URL.Path != tt.path {
			t.Errorf("path %s, want %s", r.URL.Path, tt.path)
		}
		if got, want := r.Header.Get("Authorization"), "Token "+string(appendToken(nil, tt.number)); got != want {
			t.Errorf("Authorization %s, want %s", got, want)
		}
	}
}

func TestTokensDiffer(t *testing.T) {
	seen := make(map[string]bool)
	for i := range int64(10_000) {
		token := string(appendToken(nil, i))
		if len(token) != 40 || strings.Trim(token, "0123456789abcdef") != "" || seen[token] {
			t.Fatalf("token %d: %s", i, token)
		}
		seen[token] = true
	}
}

// TestTokensInTurn presents each token once.
func TestTokensInTurn(t *testing.T) {
	const tokens = 1000
	next, seen := inTurn("127.0.0.1:80", tokens), make(map[string]bool)
	for i := range tokens {
		seen[string(next(i%7))] = true
	}
	if len(seen) != tokens {
		t.Errorf("%d of %d tokens were presented", len(seen), tokens)
	}
}

// TestBareHandlerRepeatsAReply compares a server's bytes with those of the bare handler
// made from them.
func TestBareHandlerRepeatsAReply(t *testing.T) {
	serve := func(h http.Handler) []byte {
		s := httptest.NewServer(h)
		defer s.Close()
		address := s.Listener.Addr().String()
		raw, err := exchange(address, get(address, "/", "x"))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	original := serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["WWW-Authenticate"] = []string{"Token"}
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{"27"}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"detail":"Invalid token."}`))
	}))
	bare, err := replyOf(original)
	if err != nil {
		t.Fatal(err)
	}
	if got := serve(bare); !bytes.Equal(undated(got), undated(original)) {
		t.Errorf("%q\nwant\n%q", got, original)
	}
}

// TestNginxConfiguration has the reply's own headers, and refuses what nginx would read as a variable.
func TestNginxConfiguration(t *testing.T) {
	const reply = "HTTP/1.1 200 OK\r\nAllow: GET\r\nContent-Type: application/json\r\nDate: x\r\nContent-Length: 10\r\n\r\n"
	got, err := nginxConfiguration("127.0.0.1:81", []byte(reply+`{"a": "b"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listen 127.0.0.1:81;", "default_type 'application/json';", "add_header 'Allow' 'GET' always;", `return 200 '{"a": "b"}';`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	if strings.Contains(got, "Date") || strings.Contains(got, "Content-Length") {
		t.Errorf("nginx's own headers twice:\n%s", got)
	}
	if _, err := nginxConfiguration("127.0.0.1:81", []byte(reply+`{"a": "$b"}`)); err == nil {
		t.Error("a variable is taken for text")
	}
}

// TestClientCountsFailures runs against a server that refuses every second request.
func TestClientCountsFailures(t *testing.T) {
	good := []byte(`{}`)
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write(good)
	}))
	defer s.Close()
	address := s.Listener.Addr().String()
	c, err := connect(address, 1, func(int) []byte { return get(address, "/", "x") })
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	sum, err := c.run(t.Context(), 1)
	for err == nil && sum.failed == 0 {
		sum, err = c.run(t.Context(), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestHashFor(t *testing.T) {
	usable, err := processors()
	if err != nil {
		t.Fatal(err)
	}
	var set unix.CPUSet
	set.Set(usable[0])
	if rate, err := hashFor(0, 2, 1, &set); err != nil || rate <= 0 {
		t.Errorf("on one processor: %v hashes a second, error %v", rate, err)
	}
	if _, err := hashFor(0, 2, 1, &unix.CPUSet{}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("on no processor: error %v, want %v", err, unix.EINVAL)
	}
	if after, err := processors(); err != nil || !slices.Equal(after, usable) {
		t.Errorf("processors afterwards: %v, error %v; want %v", after, err, usable)
	}
}

// TestAllocationsAbove reads outputs of BenchmarkCheck, whichever kinds of checks it has.
func TestAllocationsAbove(t *testing.T) {
	const bare, check, counted = "BenchmarkCheck/bare-2 \t 3855384\t 318.9 ns/op\t 0 B/op\t 1 allocs/op\n",
		"BenchmarkCheck/check-2 \t 277120\t 4036 ns/op\t 787 B/op\t 8 allocs/op\n", "BenchmarkCheck/counted \t 90662\t 11983 ns/op\t 787 B/op\t 12 allocs/op\n"
	for _, c := range []struct {
		out   string
		above int
		fails bool
	}{
		{bare + check, 7, false}, {bare + check + counted, 11, false}, {counted + check + bare, 11, false},
		{bare, 0, true}, {check + counted, 0, true}, {"", 0, true},
	} {
		if above, err := allocationsAbove(c.out); above != c.above || (err != nil) != c.fails {
			t.Errorf("%q: %d, error %v", c.out, above, err)
		}
	}
}
