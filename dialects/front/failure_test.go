package front_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/front"
)

// TestFailures has applications that answer badly: the API's own answers are given, and no
// byte of the application's is in an error.
func TestFailures(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = readHead(bufio.NewReader(c))
			_, _ = io.WriteString(c, text)
		}
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	hang := func(c net.Conn) { <-stop }
	for name, test := range map[string]struct {
		serve  func(net.Conn)
		status int
		error  string
	}{
		"unreachable": {nil, 503, "can't be reached"},
		"closes":      {func(net.Conn) {}, 502, "closed the connection"},
		"garbage":     {say("hello SECRET\r\n\r\n"), 502, "breaks HTTP's rules"},
		"half a head": {say("HTTP/1.1 200 OK\r\nX-Y: SECRET"), 502, "closed the connection"},
		"bad header":  {say("HTTP/1.1 200 OK\r\nSECRET\r\n\r\n"), 502, "breaks HTTP's rules"},
		"status 042":  {say("HTTP/1.1 042 SECRET\r\n\r\n"), 502, "breaks HTTP's rules"},
		"two lengths": {say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"), 502, "breaks HTTP's rules"},
		"endless headers": {func(c net.Conn) {
			say("HTTP/1.1 200 OK\r\n")(c)
			for {
				if _, err := io.WriteString(c, "X-Y: "+strings.Repeat("z", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}, 502, "too long"},
		"hangs":        {hang, 504, "in time"},
		"hangs inside": {func(c net.Conn) { say("HTTP/1.1 200 OK\r\n")(c); hang(c) }, 504, "in time"},
		"unasked 101":  {say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), 502, "breaks HTTP's rules"},
	} {
		application := &url.URL{Scheme: "http", Host: closed.Addr().String()}
		if test.serve != nil {
			application = serveConns(t, test.serve)
		}
		api := &gate{}
		o := front.Options{Old: front.Application{URL: application}, Timeout: 10 * time.Second}
		if test.status == http.StatusGatewayTimeout {
			o.Timeout = 300 * time.Millisecond
		}
		address := start(t, api, o)
		answer := exchange(t, address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if want := fmt.Sprintf("HTTP/1.1 %d ", test.status); !strings.HasPrefix(answer, want) || !strings.HasSuffix(answer, "unavailable\n") {
			t.Errorf("%s: %q", name, answer)
		}
		if err := api.lastError(); err == nil || !strings.Contains(err.Error(), test.error) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: error %v", name, err)
		}
		// The log samples by it.
		if by, ok := api.lastError().(interface{ Application() string }); !ok || by.Application() != application.Host {
			t.Errorf("%s: not known to be of the application: %v", name, api.lastError())
		}
	}
}

// TestFailuresAreSentLate has a server whose time for a reply is over as soon as it has the head of a request, before the application
// is given up, or a body refused: the client is told all the same.
func TestFailuresAreSentLate(t *testing.T) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	f := front.New(&gate{}, front.Options{Old: front.Application{URL: serveConns(t, func(net.Conn) { <-stop })}, Timeout: 300 * time.Millisecond})
	t.Cleanup(f.Retire)
	s := httptest.NewUnstartedServer(f)
	s.Config.WriteTimeout = time.Nanosecond
	s.Start()
	t.Cleanup(s.Close)
	for request, status := range map[string]string{
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":                                            "504",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx":                     "504",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nno chunk\r\n": "400",
	} {
		if answer := exchange(t, s.Listener.Addr().String(), request); !strings.HasPrefix(answer, "HTTP/1.1 "+status+" ") {
			t.Errorf("%q: %q", request, answer)
		}
	}
}

// TestAnswerBreaksOff passes on what there is, and then closes the client's connection.
func TestAnswerBreaksOff(t *testing.T) {
	for _, head := range []string{"Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"} {
		address := start(t, &gate{}, front.Options{Old: front.Application{URL: serveConns(t, func(c net.Conn) {
			_, _ = readHead(bufio.NewReader(c))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+head)
		})}})
		answer := exchange(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") || !strings.Contains(answer, "half") || strings.HasSuffix(answer, "0\r\n\r\n") {
			t.Errorf("%q: %q", head, answer)
		}
	}
}

// TestOwnListener refuses to connect to the server itself, whatever name it was found by.
func TestOwnListener(t *testing.T) {
	api := &gate{}
	application := serveConns(t, func(c net.Conn) {
		if n, _ := c.Read(make([]byte, 1)); n > 0 {
			t.Error("it was sent a request")
		}
	})
	var asked netip.AddrPort
	address := start(t, api, front.Options{Old: front.Application{URL: application}, Own: func(a netip.AddrPort) bool { asked = a; return true }})
	answer := exchange(t, address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 503 ") || asked.String() != application.Host {
		t.Errorf("%q, asked for %v", answer, asked)
	}
	if err := api.lastError(); err == nil || !strings.Contains(err.Error(), "one of this server's listeners") {
		t.Errorf("error %v", err)
	}
}
