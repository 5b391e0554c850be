package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestUnreadBodies checks that requests which need no body are answered before it arrives.
func TestUnreadBodies(t *testing.T) {
	t.Parallel()
	p := start(t, "--profile", "ocd-users", "--store", database(t), "--limits", "off", "--listen", "127.0.0.1:0")
	address := strings.TrimPrefix(p.urls["ocd-users"], "http://")
	for _, test := range []struct{ name, request, status string }{
		{"too large", "POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2097152\r\n\r\n", "413"},
		{"too large, asks first", "POST /api/login/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2097152\r\n\r\n", "413"},
		{"bad token, asks first", "POST /api/logout/ HTTP/1.1\r\nHost: a\r\nAuthorization: Token x\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n", "401"},
		{"bad token, large", "POST /api/logout/ HTTP/1.1\r\nHost: a\r\nAuthorization: Token x\r\nContent-Length: 500000\r\n\r\n", "401"},
	} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(8 * time.Second)); err != nil { // readTimeout is longer
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, test.request); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+test.status+" ") {
			t.Errorf("%s: %q, %v", test.name, line, err)
		}
	}
}

// TestLargeBodies sends as many large bodies as fit, without finishing them: another
// one is refused in the API's shape, but a login is not.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	p := start(t, "--profile", "ocd-users@127.0.0.1:0", "--profile", "form-auth@127.0.0.1:0", "--profile", "authtokens@127.0.0.1:0",
		"--store", database(t), "--limits", "off", "--password-iterations", "100")
	const body = 1 << 20
	const smallBody, largeBodies = 16 << 10, 64 << 20 // bytes always read of each body, and the limit on the rest of all
	address := strings.TrimPrefix(p.urls["ocd-users"], "http://")
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for i := range largeBodies / (body - smallBody) { // as many as fit
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
		fmt.Fprintf(c, "POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", body)
		if _, err := c.Write(make([]byte, body-1)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the body is held", func() bool {
			return p.metric(t, "authcompat_request_body_memory_bytes") == float64((i+1)*(body-1-smallBody))
		})
	}

	large := strings.Repeat(" ", 1<<20-100)
	refused := func(status int, profile, path, kind, body, shape string) {
		t.Helper()
		a := p.want(t, status, "POST", p.urls[profile]+path, "", body, "Content-Type", kind)
		if !strings.Contains(a.body, shape) || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %q, Retry-After %q", profile, a.body, a.header.Get("Retry-After"))
		}
	}
	refused(429, "ocd-users", "/api/login/", "application/json", large, `{"detail":"Request was throttled.`)
	refused(503, "authtokens", "/api/login/", "application/json", large, `{"error": "`)
	refused(503, "form-auth", "/auth/login", "application/x-www-form-urlencoded", "x="+large, `"__all__"`)
	p.want(t, 400, "POST", p.urls["ocd-users"]+"/api/login/", "", wrong)

	for _, c := range held {
		c.Close()
	}
	eventually(t, "the room is given back", func() bool { return p.metric(t, "authcompat_request_body_memory_bytes") == 0 })
}
