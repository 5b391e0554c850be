package front_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/front"
)

// application serves a handler, and returns its URL.
func application(t testing.TB, h http.HandlerFunc) *url.URL {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// dial connects to a front.
func dial(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c, bufio.NewReader(c)
}

// TestLargeBodies sends bodies up and down, and bounds what that takes of memory.
func TestLargeBodies(t *testing.T) {
	const size = 256 << 20
	app := application(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != size {
			t.Errorf("the application got %d bytes, %v", n, err)
		}
		_, _ = io.CopyN(w, zeros{}, size)
	})
	address := start(t, &gate{}, front.Options{Old: front.Application{URL: app}})
	for _, length := range []int64{size, -1} {
		var most atomic.Uint64
		ctx, cancel := context.WithCancel(t.Context())
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		go func() {
			for ctx.Err() == nil {
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapInuse))
				time.Sleep(20 * time.Millisecond)
			}
		}()
		request, _ := http.NewRequest(http.MethodPost, "http://"+address+"/", io.LimitReader(zeros{}, size))
		request.ContentLength = length
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, answer.Body); n != size || err != nil {
			t.Errorf("%d bytes came back, %v", n, err)
		}
		answer.Body.Close()
		cancel()
		if more := int64(most.Load()) - int64(before.HeapInuse); more > 16<<20 {
			t.Errorf("%d bytes up and down took %d bytes more", size, more)
		}
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestBodyLimits refuses bodies that are too large, or broken, with the API's own answers.
func TestBodyLimits(t *testing.T) {
	app := application(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})
	address := start(t, &gate{}, front.Options{Old: front.Application{URL: app}, MaxBody: 5})
	for body, status := range map[string]int{
		"Content-Length: 5\r\n\r\n12345":                             200,
		"Content-Length: 6\r\n\r\n123456":                            413,
		"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n":  200,
		"Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n0\r\n\r\n": 413,
		"Transfer-Encoding: chunked\r\n\r\nxyz\r\n":                  400,
		"Transfer-Encoding: chunked\r\n\r\n1\r\n1x\r\n0\r\n\r\n":     400,
		"Expect: 100-continue\r\nContent-Length: 6\r\n\r\n":          413,
	} {
		answer := exchange(t, address, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+body)
		if !strings.HasPrefix(answer, fmt.Sprintf("HTTP/1.1 %d ", status)) {
			t.Errorf("%q: %q, want %d", body, answer, status)
		}
	}
}

// TestExpectContinue asks before it sends: what the application says comes back, and its
// refusal ends the request early. A client is asked once, by whoever it is.
func TestExpectContinue(t *testing.T) {
	for _, kind := range []string{"asks", "asks late", "refuses"} {
		refuse := kind == "refuses"
		app := serveConns(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			head, _ := readHead(r)
			if !strings.Contains(head, "Expect: 100-continue\r\n") {
				t.Errorf("no Expect: %q", head)
			}
			if refuse {
				_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
				_, _ = io.Copy(io.Discard, r)
				return
			}
			if kind == "asks late" { // once the body has come without
				_, _ = r.Peek(1)
			}
			_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			body := make([]byte, 4)
			_, _ = io.ReadFull(r, body)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"+string(body))
		})
		address := start(t, &gate{}, front.Options{Old: front.Application{URL: app}})
		c, r := dial(t, address)
		_, _ = io.WriteString(c, "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		head, _ := readHead(r)
		if refuse {
			if !strings.HasPrefix(head, "HTTP/1.1 403 ") {
				t.Errorf("refused: %q", head)
			}
			continue
		}
		if head != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Errorf("%s: %q", kind, head)
		}
		_, _ = io.WriteString(c, "body")
		head, _ = readHead(r)
		body := make([]byte, 4)
		if _, err := io.ReadFull(r, body); err != nil || !strings.HasPrefix(head, "HTTP/1.1 200 ") || string(body) != "body" {
			t.Errorf("%s: %q %q %v", kind, head, body, err)
		}
	}
}

// TestAnswerBeforeBody has an application that answers while the body still comes.
func TestAnswerBeforeBody(t *testing.T) {
	app := serveConns(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		_, _ = readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
		for range 3 {
			line, _ := r.ReadString('\n')
			fmt.Fprintf(c, "%x\r\n%s\r\n", len(line), line)
		}
		_, _ = io.WriteString(c, "0\r\n\r\n")
	})
	c, r := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: app}}))
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n")
	if head, err := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		t.Fatalf("%q, %v", head, err)
	}
	for _, line := range []string{"a\n", "b\n", "c\n"} {
		_, _ = io.WriteString(c, line)
		if got := readN(r, len("2\r\na\n\r\n")); got != "2\r\n"+line+"\r\n" {
			t.Fatalf("after %q: %q", line, got)
		}
	}
	if got := readN(r, 5); got != "0\r\n\r\n" {
		t.Errorf("at the end: %q", got)
	}
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	if head, err := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		t.Errorf("the next request: %q, %v", head, err)
	}
}

// TestBodyAfterItsAnswer has an application answer before it has taken the body, of which the rest comes when the client
// has that answer: the next request on its connection is answered, too.
func TestBodyAfterItsAnswer(t *testing.T) {
	const early = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
	app := serveConns(t, func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			head, err := readHead(r)
			if err != nil {
				return
			}
			if strings.HasPrefix(head, "POST /early ") {
				_, _ = io.WriteString(c, early)
				_, _ = io.Copy(io.Discard, r)
				return
			}
			_, _ = io.WriteString(c, ok)
		}
	})
	c, r := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: app}}))
	for _, size := range []int{1, 100, 5000, 250 << 10, 300 << 10} {
		_, _ = fmt.Fprintf(c, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)
		if head, err := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 403 ") || readN(r, 2) != "no" {
			t.Fatalf("%d bytes: %q, %v", size, head, err)
		}
		_, _ = c.Write(make([]byte, size))
		_, _ = io.WriteString(c, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
		if head, err := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 200 ") || readN(r, 2) != "ok" {
			t.Fatalf("%d bytes: the next request: %q, %v", size, head, err)
		}
	}
}

func readN(r io.Reader, n int) string {
	b := make([]byte, n)
	n, _ = io.ReadFull(r, b)
	return string(b[:n])
}

// TestEventsAreNotHeldBack gets each event as it is sent, and is not cut while there is none.
func TestEventsAreNotHeldBack(t *testing.T) {
	next := make(chan string)
	app := application(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		for event := range next {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	})
	// Silence is longer than the time to answer.
	c, r := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: app}, Timeout: time.Second, IdleTimeout: 10 * time.Second}))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if head, err := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		t.Fatalf("%q, %v", head, err)
	}
	for _, event := range []string{"data: 1\n\n", "data: 2\n\n"} {
		time.Sleep(1200 * time.Millisecond)
		next <- event
		if got := readN(r, 14); got != "9\r\n"+event+"\r\n" {
			t.Fatalf("%q", got)
		}
	}
	close(next)
	if got := readN(r, 5); got != "0\r\n\r\n" {
		t.Errorf("at the end: %q", got)
	}
}

// TestSilence ends an answer that says nothing for too long.
func TestSilence(t *testing.T) {
	app := serveConns(t, func(c net.Conn) {
		_, _ = readHead(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		_, _ = io.Copy(io.Discard, c)
	})
	answer := exchange(t, start(t, &gate{}, front.Options{Old: front.Application{URL: app}, IdleTimeout: 300 * time.Millisecond}), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if !strings.HasSuffix(answer, "\r\n\r\nhalf") {
		t.Errorf("%q", answer)
	}
}

// TestClientLeaves lets go of the application when nobody waits any more.
func TestClientLeaves(t *testing.T) {
	gone := make(chan struct{})
	app := application(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(gone)
	})
	c, _ := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: app}}))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	time.Sleep(100 * time.Millisecond)
	c.Close()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the application goes on")
	}
}

// TestRepeats sends a request again only if that is safe, when a connection that was kept
// turns out to be closed.
func TestRepeats(t *testing.T) {
	for request, repeated := range map[string]bool{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":                                             true,
		"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n":                                         true,
		"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n":                                          false,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n":                       false,
		"POST / HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nContent-Length: 0\r\n\r\n": false,
		"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx":                       false,
	} {
		var seen atomic.Int32
		app := serveConns(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			for {
				head, err := readHead(r)
				if err != nil {
					return
				}
				if strings.Contains(head, "Content-Length: 1") {
					_, _ = r.ReadByte()
				}
				if seen.Add(1) == 2 {
					return // the second on this connection: seen, and not answered
				}
				_, _ = io.WriteString(c, ok)
			}
		})
		c, r := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: app}}))
		var status string
		for range 2 {
			_, _ = io.WriteString(c, request)
			head, err := readHead(r)
			if err != nil {
				t.Fatal(err)
			}
			status, _, _ = strings.Cut(head, "\r\n")
			length := 0
			_, _ = fmt.Sscanf(between(head, "Content-Length: ", "\r\n"), "%d", &length)
			readN(r, length)
		}
		if want := map[bool]string{true: "HTTP/1.1 200 OK", false: "HTTP/1.1 502 Bad Gateway"}[repeated]; status != want {
			t.Errorf("%q: %s, want %s", request, status, want)
		}
		if want := map[bool]int32{true: 3, false: 2}[repeated]; seen.Load() != want {
			t.Errorf("%q: seen %d times, want %d", request, seen.Load(), want)
		}
	}
}

// TestHalfAnAnswer gets what there is of an answer with a length, also late in it, before the
// rest is sent.
func TestHalfAnAnswer(t *testing.T) {
	next := make(chan string)
	app := serveConns(t, func(c net.Conn) {
		_, _ = readHead(bufio.NewReader(c))
		for part := range next {
			_, _ = io.WriteString(c, part)
		}
	})
	c, r := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: app}}))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	for i, part := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "one", "two", "end"} {
		if i == 2 {
			time.Sleep(200 * time.Millisecond)
		}
		next <- part
		if got := readN(r, len(part)); got != part {
			t.Fatalf("%q, want %q", got, part)
		}
	}
	close(next)
}
