package httpserver

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// requestOf returns a request with a head of that length, of which some is white space, and
// if it is a POST with a body.
func requestOf(method string, length int) string {
	const end = "\r\n\r\n"
	begin, body := method+" / HTTP/1.1\r\nHost: x\r\nA:"+strings.Repeat(" ", 100), ""
	if method == "POST" {
		begin, body = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nA: ", "body"
	}
	return begin + strings.Repeat("a", length-len(begin)-len(end)) + end + body
}

// TestHeadsOfAConnection sends heads that are as long as they may be, and longer, as the
// first request of a connection and as later ones, which may have been sent with others.
func TestHeadsOfAConnection(t *testing.T) {
	const limit = DefaultMaxHeaderBytes
	// What has come with the request before, or while its handler ran, is measured without
	// white space.
	const slack = 64
	address := mustServe(t, new(counted), func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for _, test := range []struct {
		name    string
		before  []string // methods of the requests before it
		at      bool     // all are sent at once
		method  string
		length  int
		refused bool
	}{
		{"first", nil, false, "GET", limit, false},
		{"first, longer", nil, false, "GET", limit + 1, true},
		{"after GET", []string{"GET"}, false, "GET", limit, false},
		{"after GET, longer", []string{"GET"}, false, "GET", limit + slack, true},
		{"after POST", []string{"POST"}, false, "POST", limit, false},
		{"after POST, longer", []string{"POST"}, false, "POST", limit + slack, true},
		{"after three, longer", []string{"POST", "GET", "POST"}, false, "POST", limit + slack, true},
		{"with POST", []string{"POST"}, true, "POST", limit, false},
		{"with POST, longer", []string{"POST"}, true, "POST", limit + slack, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := mustDial(t, address, "")
			replies := bufio.NewReader(c)
			status := func() int {
				t.Helper()
				reply, err := http.ReadResponse(replies, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, reply.Body); err != nil {
					t.Fatal(err)
				}
				return reply.StatusCode
			}
			send := func(text string) {
				t.Helper()
				if _, err := io.WriteString(c, text); err != nil {
					t.Fatal(err)
				}
			}
			text := ""
			for _, method := range test.before {
				text += requestOf(method, 200)
				if !test.at {
					send(text)
					text = ""
					if got := status(); got != http.StatusOK {
						t.Fatalf("before it: status %d", got)
					}
				}
			}
			send(text + requestOf(test.method, test.length))
			if test.at {
				for range test.before {
					if got := status(); got != http.StatusOK {
						t.Fatalf("before it: status %d", got)
					}
				}
			}
			want := http.StatusOK
			if test.refused {
				want = http.StatusRequestHeaderFieldsTooLarge
			}
			if got := status(); got != want {
				t.Errorf("status %d, want %d", got, want)
			}
		})
	}
}
