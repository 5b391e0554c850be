package front_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/front"
)

// forged is an answer that is the body of another one.
const forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nFORGED"

// TestBodiesThatNoAnswerHas has an application send bodies behind answers that have none: nobody else gets
// them as an answer.
func TestBodiesThatNoAnswerHas(t *testing.T) {
	length := fmt.Sprintf("Content-Length: %d\r\n", len(forged))
	for _, test := range []struct {
		head  string
		body  string
		again bool // the connection is used again
	}{
		{"HTTP/1.1 204 No Content\r\n" + length, forged, false},
		{"HTTP/1.1 204 No Content\r\n", forged, false},
		{"HTTP/1.1 304 Not Modified\r\n" + length, forged, false},
		{"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n", "", false},
		{"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n", "", true},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n", "", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "", true},
	} {
		var connections atomic.Int64
		application := serveConns(t, func(c net.Conn) {
			connections.Add(1)
			late := "" // the rest of the last answer, which a slow application sends when the next request is there
			for r := bufio.NewReader(c); ; {
				head, err := readHead(r)
				if err != nil {
					return
				}
				answer := late + ok
				if late = ""; strings.HasPrefix(head, "GET /first ") {
					answer, late = test.head+"\r\n", test.body
				}
				_, _ = io.WriteString(c, answer)
			}
		})
		address := start(t, &gate{}, front.Options{Old: front.Application{URL: application}})
		exchange(t, address, "GET /first HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		answer := exchange(t, address, "GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(answer, "\r\n\r\nok") {
			t.Errorf("%q: the next request got %q", test.head, answer)
		}
		if again := connections.Load() == 1; again != test.again {
			t.Errorf("%q: %d connections", test.head, connections.Load())
		}
	}
}

// TestAnswersLongerThanTheySay has an application send more than the length that it gives. What net/http has
// read of it is nobody's answer.
func TestAnswersLongerThanTheySay(t *testing.T) {
	application := serveConns(t, func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			head, err := readHead(r)
			if err != nil {
				return
			}
			answer := ok
			if strings.HasPrefix(head, "GET /long ") {
				answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + forged
			}
			_, _ = io.WriteString(c, answer)
		}
	})
	address := start(t, &gate{}, front.Options{Old: front.Application{URL: application}})
	var clients sync.WaitGroup
	end := time.Now().Add(time.Second / 2)
	for i := range 8 {
		path := "/own"
		if i%2 == 0 {
			path = "/long"
		}
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for time.Now().Before(end) {
				answer, err := client.Get("http://" + address + path)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				if err != nil || strings.Contains(string(body), "FORGED") || path == "/own" && answer.StatusCode == http.StatusOK && string(body) != "ok" {
					t.Errorf("%s: %d %q, %v", path, answer.StatusCode, body, err)
					return
				}
			}
		})
	}
	clients.Wait()
}

// TestConnectionsOfNoMoreUse has an application wait for the end of connections that are closed after one
// answer. A client that asks for what it has already would have each keep a port of the front for a minute: it
// is a reset that keeps none. Where the application may still read a body, nothing of that is lost.
func TestConnectionsOfNoMoreUse(t *testing.T) {
	for _, test := range []struct {
		request, answer string
		reset           bool
	}{
		{"GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\"\r\n", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", true},
		{"OPTIONS / HTTP/1.1\r\nHost: x\r\n", "HTTP/1.1 204 No Content\r\n\r\n", true},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n", "HTTP/1.1 204 No Content\r\n\r\n", false},
	} {
		ended := make(chan error, 1)
		application := serveConns(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			if head, err := readHead(r); err != nil || strings.HasPrefix(head, "POST ") && !readBody(r) {
				ended <- fmt.Errorf("%q: %v", head, err)
				return
			}
			_, _ = io.WriteString(c, test.answer)
			_, err := r.ReadByte()
			ended <- err
		})
		address := start(t, &gate{}, front.Options{Old: front.Application{URL: application}})
		body := ""
		if strings.HasPrefix(test.request, "POST ") {
			body = "body"
		}
		exchange(t, address, test.request+"Connection: close\r\n\r\n"+body)
		if err := <-ended; (err != io.EOF) != test.reset {
			t.Errorf("%q: the application's connection ended with %v", test.request, err)
		}
	}
}

// TestConnectionsBeyondThoseKept has more requests at once than connections are kept: those that are one too
// many keep no port either.
func TestConnectionsBeyondThoseKept(t *testing.T) {
	t.Run("by default", func(t *testing.T) { testConnectionsKept(t, 0, front.DefaultIdleConnections) })
	t.Run("4", func(t *testing.T) { testConnectionsKept(t, 4, 4) })
}

func testConnectionsKept(t *testing.T, setting, kept int) {
	t.Helper()
	const more = 8
	var asked sync.WaitGroup
	asked.Add(kept + more)
	ended := make(chan error, kept+more)
	application := serveConns(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		if _, err := readHead(r); err != nil {
			return // made without need
		}
		asked.Done()
		asked.Wait()
		_, _ = io.WriteString(c, ok)
		_, err := r.ReadByte()
		ended <- err
	})
	f := front.New(&gate{}, front.Options{Old: front.Application{URL: application}, IdleConnections: setting})
	t.Cleanup(f.Retire)
	var answered sync.WaitGroup
	for range kept + more {
		answered.Go(func() {
			w := httptest.NewRecorder()
			if f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody)); w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	answered.Wait()
	for range more {
		if err := <-ended; err == io.EOF {
			t.Error("a connection was closed, and keeps its port")
		}
	}
}

// TestConnectionsAtATime has more requests at once than there may be connections to an application: the rest waits.
func TestConnectionsAtATime(t *testing.T) {
	const most, requests = 4, 24
	var open, largest atomic.Int64
	application := serveConns(t, func(c net.Conn) {
		n := open.Add(1)
		for old := largest.Load(); n > old && !largest.CompareAndSwap(old, n); old = largest.Load() {
		}
		_, err := readHead(bufio.NewReader(c))
		time.Sleep(5 * time.Millisecond)
		open.Add(-1)
		if err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	f := front.New(&gate{}, front.Options{Old: front.Application{URL: application}, Connections: most})
	t.Cleanup(f.Retire)
	var answered sync.WaitGroup
	for range requests {
		answered.Go(func() {
			w := httptest.NewRecorder()
			if f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody)); w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	answered.Wait()
	if n := largest.Load(); n > most || n < 2 {
		t.Errorf("%d connections at a time, want %d at most", n, most)
	}
}

// TestNoConnectionsForNobody has a client leave while its request waits for a connection to an application that answers no
// handshakes: the connection is given up with it, before that of a client who came first and still waits.
func TestNoConnectionsForNobody(t *testing.T) {
	opened, closed := make(chan int), make(chan int, 2)
	var connections atomic.Int64
	application := serveConns(t, func(c net.Conn) {
		n := int(connections.Add(1))
		opened <- n
		_, _ = io.Copy(io.Discard, c)
		closed <- n
	})
	application.Scheme = "https"
	f := front.New(&gate{}, front.Options{Old: front.Application{URL: application}, Connections: 2})
	var all sync.WaitGroup
	ask := func() (leave context.CancelFunc) {
		ctx, leave := context.WithCancel(t.Context())
		all.Go(func() {
			f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody).WithContext(ctx))
		})
		<-opened
		return leave
	}
	waits := ask()
	time.Sleep(100 * time.Millisecond) // so much earlier its time would be over
	leaves := ask()
	leaves()
	if n := <-closed; n != 2 {
		t.Errorf("connection %d was closed first", n)
	}
	waits()
	all.Wait()
}

// readBody reads the body of TestConnectionsOfNoMoreUse.
func readBody(r io.Reader) bool {
	_, err := io.ReadFull(r, make([]byte, len("body")))
	return err == nil
}
