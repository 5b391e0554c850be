package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
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

// TestSlowBodiesThroughAProxy has one client send bodies without an end through a proxy that
// passes them on as they come, over all connections that the listener has: others who come by
// the proxy are answered.
func TestSlowBodiesThroughAProxy(t *testing.T) {
	t.Parallel()
	const most = 20
	p := start(t, "--profile", "authtokens", "--listen", "127.0.0.1:0", "--store", database(t), "--max-connections", "20", "--trusted-proxy", "127.0.0.1")
	url := p.urls["authtokens"]
	for range 2 * most {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /api/login/ HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
	}
	client := http.Client{Timeout: 15 * time.Second} // less than bodies may take
	for range 3 {
		r, err := http.NewRequest("POST", url+"/api/login/", strings.NewReader(`{"username": "ann", "password": "wrong"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", "198.51.100.9")
		r.Header.Set("Content-Type", "application/json")
		r.Close = true
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != http.StatusUnauthorized {
			t.Errorf("status %d", a.StatusCode)
		}
	}
}
