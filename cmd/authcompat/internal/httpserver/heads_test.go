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
		{"after GET, longer", []string{"GET"}, false, "GET", limit + 1, true},
		{"after POST", []string{"POST"}, false, "POST", limit, false},
		{"after POST, longer", []string{"POST"}, false, "POST", limit + 1, true},
		{"after three, longer", []string{"POST", "GET", "POST"}, false, "POST", limit + 1, true},
		{"with POST", []string{"POST"}, true, "POST", limit, false},
		{"with two", []string{"GET", "GET"}, true, "GET", limit, false},
		{"with two, longer", []string{"GET", "GET"}, true, "GET", limit + 1, true},
		{"with POST, longer", []string{"POST"}, true, "POST", limit + 1, true},
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

// TestSplitRequests sends requests in parts that end anywhere: each head is counted from where
// it begins, whatever came with it.
func TestSplitRequests(t *testing.T) {
	const get, post, refused = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"a\":1}", http.StatusRequestHeaderFieldsTooLarge
	lines := strings.Repeat("{}\r\n", 2000)
	long := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\n\r\n" + lines
	fields := func(n int) string { return strings.Repeat("A: b\r\n", n) }
	address := mustServe(t, new(counted), answerOK)
	for _, test := range []struct {
		name     string
		parts    []string // each but the first is sent after the reply to the requests before it
		replies  []int    // after each of the parts
		statuses []int
	}{
		{"fields behind a head cut within a line", []string{post, "\r\nPOST / HTTP/1.1\r\nHost: a", "\r\n" + fields(1000)}, []int{1, 0, 1}, []int{200, refused}},
		{"a head cut before its end, and a body", []string{get + strings.TrimSuffix(get, "\r\n"), "\r\n" + long}, []int{1, 2}, []int{200, 200, 200}},
		{"a third head cut before its end", []string{get + get + strings.TrimSuffix(long[:strings.Index(long, "\r\n\r\n")+4], "\r\n"), "\r\n" + lines}, []int{2, 1}, []int{200, 200, 200}},
		{"a third head with too many", []string{get + get + "GET / HTTP/1.1\r\nHost: x\r\n" + fields(800) + "\r\n"}, []int{3}, []int{200, 200, refused}},
		{"as many as may be, after empty lines", []string{post, "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n" + fields(99) + "\r\n"}, []int{1, 1}, []int{200, 200}},
		{"bodies and heads in one", []string{post + post + long + get + post}, []int{5}, []int{200, 200, 200, 200, 200}},
		{"chunks", []string{get + "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("2\r\n\n\n\r\n", 500), "0\r\n\r\n"}, []int{1, 1}, []int{200, 200}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := mustDial(t, address, "")
			in := bufio.NewReader(c)
			n := 0
			for i, part := range test.parts {
				if _, err := io.WriteString(c, part); err != nil {
					t.Fatal(err)
				}
				for range test.replies[i] {
					reply, err := http.ReadResponse(in, nil)
					if err != nil {
						t.Fatalf("reply %d: %v", n, err)
					}
					if _, err := io.Copy(io.Discard, reply.Body); err != nil {
						t.Fatal(err)
					}
					if reply.StatusCode != test.statuses[n] {
						t.Errorf("reply %d: status %d, want %d", n, reply.StatusCode, test.statuses[n])
					}
					n++
				}
			}
		})
	}
}

// TestPreface sends the preface of HTTP/2, which net/http hands to a handler without a body
// and without a length, while it reads on.
func TestPreface(t *testing.T) {
	address := mustServe(t, new(counted), answerOK)
	for range 20 {
		c := mustDial(t, address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+strings.Repeat("\x00", 100))
		reply, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || reply.StatusCode != http.StatusOK {
			t.Fatal(reply, err)
		}
	}
}
