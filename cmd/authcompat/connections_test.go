package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestIdleConnectionsMakeWay opens as many connections as a listener has, and sends
// nothing: others are served all the same.
func TestIdleConnectionsMakeWay(t *testing.T) {
	t.Parallel()
	const most = 50
	p := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t), "--max-connections", "50")
	url := p.urls["ocd-users"]
	var idle []net.Conn
	for range most {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	for range 3 {
		p.client.CloseIdleConnections()
		p.want(t, http.StatusBadRequest, "POST", url+"/api/login/", "", `{"username": "ann", "password": "wrong"}`)
	}
	if _, err := io.ReadAll(idle[0]); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the oldest: %v", err)
	}
}
