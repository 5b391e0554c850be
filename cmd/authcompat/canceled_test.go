package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestDepartedClients sends logins whose clients reset the connection before their turn:
// they are counted as canceled, not as failures of the server.
func TestDepartedClients(t *testing.T) {
	t.Parallel()
	p := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t), "--limits", "off", "--hash-concurrency", "1")
	const clients = 16
	address := strings.TrimPrefix(p.urls["ocd-users"], "http://")
	var conns []net.Conn
	for range clients {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		fmt.Fprintf(c, "POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(wrong), wrong)
	}
	eventually(t, "most wait", func() bool { return p.metric(t, "authcompat_password_hash_queue_length") >= clients/2 })
	for n, c := range conns {
		c := c.(*net.TCPConn)
		var err error
		if n%2 == 0 {
			err = c.CloseWrite() // and only then
		}
		if err := errors.Join(err, c.SetLinger(0)); err != nil { // a reset
			t.Fatal(err)
		}
		c.Close()
	}
	const departed = `authcompat_logins_total{outcome="canceled",profile="ocd-users"}`
	eventually(t, "they are counted", func() bool { return p.metric(t, departed) >= clients/2 })
	if n := p.metric(t, `authcompat_http_requests_total{endpoint="login",profile="ocd-users",status="499"}`); n < clients/2 {
		t.Errorf("%v requests of clients that left", n)
	}
	if log := p.log.String(); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("log:\n%s", log)
	}
}
