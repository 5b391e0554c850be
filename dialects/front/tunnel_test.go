package front_test

import (
	"bufio"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/front"
)

const upgrade = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\nSec-WebSocket-Version: 13\r\n"

// echo is an application that speaks a WebSocket, as far as a proxy can tell.
func echo(c net.Conn) {
	r := bufio.NewReader(c)
	head, _ := readHead(r)
	if !strings.Contains(head, "Upgrade: websocket\r\n") || !strings.Contains(head, "Connection: Upgrade\r\n") {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
	_, _ = io.Copy(c, r)
	_, _ = io.WriteString(c, "bye")
}

const accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\nupgrade: websocket\r\n\r\n"

// TestTunnel switches protocols: what was sent with the request, and behind it, gets
// through, and so does the end of either side.
func TestTunnel(t *testing.T) {
	streams := front.NewStreams()
	c, r := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: serveConns(t, echo)}, Timeout: time.Second, IdleTimeout: 10 * time.Second, Streams: streams}))
	_, _ = io.WriteString(c, upgrade+"\r\nearly")
	if got := readN(r, len(accepted)+5); got != accepted+"early" {
		t.Fatalf("%q", got)
	}
	for range 2 {
		time.Sleep(1200 * time.Millisecond) // longer than an answer may take
		_, _ = io.WriteString(c, "ping")
		if got := readN(r, 4); got != "ping" {
			t.Fatalf("%q", got)
		}
	}
	if n := streams.Open(); n != 1 {
		t.Errorf("%d streams", n)
	}
	_ = c.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(r); string(got) != "bye" || err != nil {
		t.Errorf("at the end: %q, %v", got, err)
	}
	for deadline := time.Now().Add(5 * time.Second); streams.Open() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stream is still counted")
		}
	}
}

// TestTunnelOfNobody has a client leave before the application switches protocols: that is no fault of the application's.
func TestTunnelOfNobody(t *testing.T) {
	asked, left, counted := make(chan struct{}), make(chan struct{}), make(chan front.Result, 1)
	application := serveConns(t, func(c net.Conn) {
		_, _ = readHead(bufio.NewReader(c))
		close(asked)
		<-left
		_, _ = io.WriteString(c, accepted)
	})
	c, _ := dial(t, start(t, &gate{}, front.Options{Old: front.Application{URL: application, Count: func(r front.Result) { counted <- r }}}))
	_, _ = io.WriteString(c, upgrade+"\r\n")
	<-asked
	_ = c.(*net.TCPConn).SetLinger(0) // resets
	c.Close()
	close(left)
	if r := <-counted; r != front.ResultCanceled {
		t.Errorf("counted as %s", r)
	}
}

// TestTunnelEnds ends tunnels with their token, with the server, and after silence.
func TestTunnelEnds(t *testing.T) {
	needed := front.NewRules([]front.Rule{{"/", front.Needed}})
	for name, test := range map[string]struct {
		options front.Options
		end     func(*gate, *front.Streams)
		stays   bool
	}{
		"token":        {front.Options{Rules: needed, Recheck: 50 * time.Millisecond}, func(g *gate, _ *front.Streams) { g.end() }, false},
		"token in use": {front.Options{Rules: needed, Recheck: 50 * time.Millisecond}, func(*gate, *front.Streams) {}, true},
		"path is free": {front.Options{Recheck: 50 * time.Millisecond}, func(g *gate, _ *front.Streams) { g.end() }, true},
		"server":       {front.Options{}, func(_ *gate, s *front.Streams) { s.End() }, false},
		"silence":      {front.Options{IdleTimeout: 200 * time.Millisecond}, func(*gate, *front.Streams) {}, false},
	} {
		api, streams := &gate{}, front.NewStreams()
		test.options.Old.URL, test.options.Streams = serveConns(t, echo), streams
		c, r := dial(t, start(t, api, test.options))
		_, _ = io.WriteString(c, upgrade+"Authorization: Token good\r\n\r\n")
		if got := readN(r, len(accepted)); got != accepted {
			t.Fatalf("%s: %q", name, got)
		}
		test.end(api, streams)
		if test.stays {
			time.Sleep(300 * time.Millisecond)
			_, _ = io.WriteString(c, "ping")
			if got := readN(r, 4); got != "ping" {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if got, err := io.ReadAll(r); len(got) > 0 || err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: it goes on: %q, %v", name, got, err)
		}
	}
}

// TestNoTunnel passes on no other upgrade, and no tunnel without a good token.
func TestNoTunnel(t *testing.T) {
	app := serveConns(t, echo)
	address := start(t, &gate{}, front.Options{Old: front.Application{URL: app}, Rules: front.NewRules([]front.Rule{{"/ws", front.Needed}})})
	good := "Authorization: Token good\r\n"
	for request, status := range map[string]string{
		upgrade + "\r\n": "401",
		upgrade + good + "Content-Length: 1\r\n\r\nx":                              "400",
		strings.Replace(upgrade, "websocket", "h2c", 1) + good + "\r\n":            "400",
		strings.Replace(upgrade, "websocket", "websocket, h2c", 1) + good + "\r\n": "400",
		strings.Replace(upgrade, "GET", "POST", 1) + good + "\r\n":                 "400",
		strings.Replace(upgrade, "HTTP/1.1", "HTTP/1.0", 1) + good + "\r\n":        "400",
	} {
		c, r := dial(t, address)
		_, _ = io.WriteString(c, request)
		if head, _ := readHead(r); !strings.HasPrefix(head[min(len(head), 8):], " "+status+" ") {
			t.Errorf("%q: %q, want %s", request, head, status)
		}
		c.Close()
	}
}

// TestStopsEvents ends streams of events when the server stops, and refuses later ones.
func TestStopsEvents(t *testing.T) {
	streams := front.NewStreams()
	app := serveConns(t, func(c net.Conn) {
		_, _ = readHead(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: x\n\n")
		_, _ = io.Copy(io.Discard, c)
	})
	f := front.New(&gate{}, front.Options{Old: front.Application{URL: app}, Streams: streams})
	s := httptest.NewServer(f)
	defer s.Close()
	for _, late := range []bool{false, true} {
		c, r := dial(t, s.Listener.Addr().String())
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if head, err := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 200 ") && !late {
			t.Fatalf("%q, %v", head, err)
		}
		streams.End()
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadAll(r); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("it goes on: %v", err)
		}
	}
}
