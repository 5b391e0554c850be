package main

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestHTTP10 sends requests of HTTP/1.0. They need no Host, each is answered, and its
// connection is closed whatever the client asks for, as by gunicorn's default workers:
// HTTP/1.0 has no chunks, so that a proxy which knows them could take another place for
// the end of a request, and what stands behind it for a part of its body.
func TestHTTP10(t *testing.T) {
	t.Parallel()
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t), "--manage", "127.0.0.1:0")...)
	const (
		body  = `{"username": "ann"}`
		login = "POST /api/login/ HTTP/1.0\r\nContent-Type: application/json\r\n"
		keep  = "Connection: keep-alive\r\n"
		next  = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
		chunk = "Transfer-Encoding: chunked\r\n"
		// What is answered to the body, and to none.
		answer, empty = `{"password":["This field is required."]}`, `{"username":["This field is required."],"password":["This field is required."]}`
	)
	for _, test := range []struct{ name, request, want string }{
		{"no host", login + "Content-Length: 19\r\n\r\n" + body, answer},
		{"a host", login + "Host: a\r\nContent-Length: 19\r\n\r\n" + body, answer},
		{"keep-alive", login + keep + "Content-Length: 19\r\n\r\n" + body + next, answer},
		{"keep-alive and a host", login + "Host: a\r\n" + keep + "Content-Length: 19\r\n\r\n" + body + next, answer},
		{"chunks", login + keep + chunk + "\r\n" + next, empty},
		{"a length and chunks", login + keep + chunk + "Content-Length: 19\r\n\r\n" + body + next, answer},
		{"no length", login + keep + "\r\n" + next, empty},
		{"an identity coding", login + "Transfer-Encoding: identity\r\nContent-Length: 19\r\n\r\n" + body, answer},
		{"an expectation", login + "Expect: 100-continue\r\nContent-Length: 19\r\n\r\n" + body, answer},
		{"close", login + "Connection: close\r\nContent-Length: 19\r\n\r\n" + body, answer},
	} {
		t.Run(test.name, func(t *testing.T) {
			reply := untilClosed(t, strings.TrimPrefix(p.urls["ocd-users"], "http://"), test.request)
			head, text, _ := strings.Cut(reply, "\r\n\r\n")
			if !strings.HasPrefix(head, "HTTP/1.0 400 Bad Request\r\n") || strings.Contains(head, "keep-alive") || text != test.want {
				t.Errorf("%q", reply)
			}
		})
	}
	reply := untilClosed(t, strings.TrimPrefix(p.manage, "http://"), "GET /livez HTTP/1.0\r\n"+keep+"\r\n"+next)
	if strings.Count(reply, "HTTP/1.") != 1 || !strings.HasPrefix(reply, "HTTP/1.0 200 OK\r\n") {
		t.Errorf("the management listener: %q", reply)
	}
}

// untilClosed sends a text and returns what comes until the server closes the connection,
// which it must do long before an idle one is closed.
func untilClosed(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("%v after %q", err, reply)
	}
	return string(reply)
}
