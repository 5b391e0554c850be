package httpserver

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/profiles"
)

// counted is a Recorder, and the reasons of rejected requests.
type counted struct {
	mu       sync.Mutex
	rejected []string
	statuses []int
}

func (c *counted) CountRequest(_, _ string, status int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statuses = append(c.statuses, status)
}

func (c *counted) CountPanic() {}

func (c *counted) reject(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rejected = append(c.rejected, reason)
}

// all returns the reasons so far.
func (c *counted) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.rejected, " ")
}

// mustServe serves a handler as an API, and returns its address.
func mustServe(t *testing.T, c *counted, handler http.HandlerFunc) string {
	t.Helper()
	return mustListen(t, c, handler).Addr().String()
}

// mustListen is mustServe, and returns the listener.
func mustListen(t *testing.T, c *counted, handler http.HandlerFunc) net.Listener {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	api := Instrument(handler, "p", InstrumentOptions{Recorder: c, Bodies: NewBodyBudget(), Log: log, Requests: LogNone})
	var servers Servers
	err := servers.Listen("127.0.0.1:0", api, ListenOptions{
		Log: log, Rejected: c.reject,
		Headers: func() []profiles.Header { return []profiles.Header{{Name: "Access-Control-Allow-Origin", Value: "*"}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- servers.Serve(ctx, log) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return servers[0].Listener
}

// mustDial opens a connection and sends a text.
func mustDial(t *testing.T, address, text string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

func answerOK(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "ok")
}

// TestRejectedRequests sends what net/http refuses: each is counted by its reason, and
// has the API's headers on its reply.
func TestRejectedRequests(t *testing.T) {
	for _, test := range []struct {
		reason  Rejection
		request string
		status  int
	}{
		{RejectedMalformed, "GET\r\n\r\n", 400},
		{RejectedMalformed, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
		{RejectedHost, "GET / HTTP/1.1\r\n\r\n", 400},
		{RejectedHost, "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400},
		{RejectedHeaderSize, "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 20<<10) + "\r\n\r\n", 431},
		{RejectedHeaderSize, "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 100) + "\r\n", 431},
		{RejectedTransferEncoding, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		{RejectedVersion, "GET / HTTP/3.1\r\nHost: x\r\n\r\n", 505},
	} {
		c := &counted{}
		conn := mustDial(t, mustServe(t, c, answerOK), test.request)
		reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%.40q: %v", test.request, err)
			continue
		}
		if reply.StatusCode != test.status || reply.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%.40q: %s, headers %v", test.request, reply.Status, reply.Header)
		}
		if got := c.all(); got != string(test.reason) || len(c.statuses) != 0 {
			t.Errorf("%.40q: rejected for %q, want %q; the API answered %v", test.request, got, test.reason, c.statuses)
		}
	}
}

// TestPipelinedFields sends a request with too many header fields right behind another,
// all with one name.
func TestPipelinedFields(t *testing.T) {
	const first = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for n, want := range map[int]int{99: 200, 100: 431} { // beside Host
		c := &counted{}
		conn := mustDial(t, mustServe(t, c, answerOK), first+strings.TrimSuffix(first, "\r\n")+strings.Repeat("A: b\r\n", n)+"\r\n")
		in := bufio.NewReader(conn)
		for _, status := range []int{200, want} {
			reply, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%d fields: %v", n, err)
			}
			if _, err := io.Copy(io.Discard, reply.Body); err != nil || reply.StatusCode != status {
				t.Errorf("%d fields: %s, want %d", n, reply.Status, status)
			}
		}
	}
}

// TestChunkedRequestsEndTheirConnection sends a body in chunks: nothing behind it is read,
// wherever a proxy saw its end.
func TestChunkedRequestsEndTheirConnection(t *testing.T) {
	c := &counted{}
	smuggled := "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	conn := mustDial(t, mustServe(t, c, answerOK), "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"+smuggled)
	in := bufio.NewReader(conn)
	reply, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, reply.Body); err != nil || reply.StatusCode != 200 || !reply.Close {
		t.Errorf("%s, closed %t, %v", reply.Status, reply.Close, err)
	}
	if rest, _ := io.ReadAll(in); len(rest) > 0 {
		t.Errorf("the request behind it was answered: %q", rest)
	}
	conn = mustDial(t, mustServe(t, c, answerOK), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
	if reply, err = http.ReadResponse(bufio.NewReader(conn), nil); err != nil || reply.Close {
		t.Errorf("a body with a length ends its connection: %v, %v", reply, err)
	}
}

// TestOldConnectionsEnd asks to keep a connection of HTTP/1.0, of whose requests net/http
// hides the codings.
func TestOldConnectionsEnd(t *testing.T) {
	for _, request := range []string{
		"GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
		"POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nab",
	} {
		conn := mustDial(t, mustServe(t, &counted{}, answerOK), request+"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
		in := bufio.NewReader(conn)
		reply, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, reply.Body); err != nil || !reply.Close {
			t.Errorf("%q: closed %t, %v", request, reply.Close, err)
		}
		if rest, _ := io.ReadAll(in); len(rest) > 0 {
			t.Errorf("%q: the request behind it was answered: %q", request, rest)
		}
	}
}

// TestRequestIDs believes the id of a request only from a trusted proxy, and only a plain
// word.
func TestRequestIDs(t *testing.T) {
	for _, test := range []struct {
		id      string
		proxied bool
		want    bool
	}{
		{"abc-1.2_Z", true, true}, {"abc", false, false}, {"", true, false}, {strings.Repeat("a", 64), true, true}, {strings.Repeat("a", 65), true, false},
		{"a\nlevel=ERROR", true, false}, {"a b", true, false}, {"é", true, false},
	} {
		r := &http.Request{Header: http.Header{"X-Request-Id": {test.id}}}
		got := requestID(r, test.proxied)
		if (got == test.id) != test.want || got == "" {
			t.Errorf("%q, proxied %t: %q", test.id, test.proxied, got)
		}
	}
	if a, b := requestID(&http.Request{}, false), requestID(&http.Request{}, false); a == b || len(a) != 16 {
		t.Errorf("ids %q and %q", a, b)
	}
}

func TestSampler(t *testing.T) {
	s := sampler{interval: time.Second}
	now := time.Unix(1, 0)
	for i, step := range []struct {
		after   time.Duration
		omitted int
		ok      bool
	}{{0, 0, true}, {time.Millisecond, 0, false}, {998 * time.Millisecond, 0, false}, {time.Millisecond, 2, true}, {time.Millisecond, 0, false}, {time.Hour, 1, true}} {
		now = now.Add(step.after)
		if omitted, ok := s.take(now); omitted != step.omitted || ok != step.ok {
			t.Errorf("event %d: %d, %t, want %d, %t", i, omitted, ok, step.omitted, step.ok)
		}
	}
}
