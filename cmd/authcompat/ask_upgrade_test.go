package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestAskUpgrade has clients with a good token ask an application to speak HTTP/2 on their connection (RFC 7540, 3.2), as lighttpd
// does, Tomcat and others: requests would come past the questions from then on. No proxy passes that on; HAProxy and Caddy pass WebSockets on.
// Envoy passes on no upgrades by itself.
func TestAskUpgrade(t *testing.T) {
	t.Parallel()
	s := startAsked(t)
	token := s.register(t, "ann")
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q %q", r.Header["Upgrade"], r.Header["Http2-Settings"])
	}))
	t.Cleanup(application.Close)
	webSockets := map[string]bool{"haproxy": true, "caddy": true}
	for _, proxy := range []string{"nginx", "haproxy", "caddy", "traefik"} {
		for _, flags := range [][]string{nil, {"--identity"}} {
			t.Run(proxy+strings.Join(flags, ""), func(t *testing.T) {
				t.Parallel()
				at, err := url.Parse(askingProxy(t, proxy, "ocd-users", s.at, application.Listener.Addr().String(), flags...))
				if err != nil {
					t.Fatal(err)
				}
				for asked, want := range map[string]string{
					"h2c": "[]", "H2C": "[]", "h2c, websocket": "[]", "websocket, h2c": "[]", "h2c\r\nUpgrade: websocket": "[]", "websocket\r\nUpgrade: h2c": "[]",
					"": "[]", "TLS/1.2": "[]", "websocket": `["websocket"]`, "WebSocket": `["websocket"]`,
				} {
					if !webSockets[proxy] {
						want = "[]"
					}
					got := strings.ToLower(sendUpgrade(t, at.Host, "Authorization: Token "+token+"\r\nUpgrade: "+asked))
					if got != want+" []" && (proxy != "nginx" || !strings.HasPrefix(got, "[] ")) { // which passes settings on, and no upgrade
						t.Errorf("%q: the application got %s", asked, got)
					}
				}
			})
		}
	}
}

// sendUpgrade sends a request for an upgrade, and returns the body of the answer.
func sendUpgrade(t *testing.T, at, headers string) string {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET /private/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"+headers+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("%q: %d %s, %v", headers, answer.StatusCode, body, err)
	}
	return string(body)
}
