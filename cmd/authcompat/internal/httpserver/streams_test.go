package httpserver

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects"
)

// TestStreamsThroughAProxyMakeWay has one client behind a trusted proxy take all connections of a
// listener with answers of an application that have no end: the longest make way for others.
func TestStreamsThroughAProxyMakeWay(t *testing.T) {
	const all = 4
	for name, stream := range map[string]http.HandlerFunc{
		"WebSockets": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n") // the client sees that it is missing
			_, _ = io.Copy(io.Discard, conn)
		},
		"events": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			proxies, err := ParseProxies([]string{"127.0.0.1"})
			if err != nil {
				t.Fatal(err)
			}
			log := slog.New(slog.DiscardHandler)
			api := Instrument(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/stream" {
					w.(dialects.OutcomeRecorder).RecordOutcome("", proxied, nil)
					stream(w, r)
				}
			}), "p", InstrumentOptions{Proxies: proxies, Recorder: new(counted), Bodies: NewBodyBudget(), Log: log, Requests: LogNone})
			var servers Servers
			if err := servers.Listen("127.0.0.1:0", api, ListenOptions{Log: log, MaxConnections: all, Trusted: proxies.Trusted}); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- servers.Serve(ctx, log) }()
			send := func(path, client string) (*net.TCPConn, int) {
				t.Helper()
				c := mustDial(t, servers[0].Listener.Addr().String(), "GET "+path+" HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: "+client+"\r\n\r\n")
				_ = c.SetReadDeadline(time.Now().Add(longWait / 2))
				reply, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					return c, 0
				}
				return c, reply.StatusCode
			}
			var open []*net.TCPConn
			for i := range all {
				c, status := send("/stream", "198.51.100.1")
				if status == 0 {
					t.Fatalf("stream %d is refused", i)
				}
				open = append(open, c)
			}
			for _, client := range []string{"203.0.113.1", "192.0.2.1"} {
				if _, status := send("/", client); status != http.StatusOK {
					t.Errorf("another client gets status %d", status)
				}
			}
			for _, c := range open {
				_ = c.SetLinger(0) // one that has made way is reset already
				_ = c.Close()
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
