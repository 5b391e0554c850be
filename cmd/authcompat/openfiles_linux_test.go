package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// openFiles has a command start with that limit on open files.
func openFiles(files int) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, files), "sh", c.Path}, c.Args[1:]...)
		c.Path = "/bin/sh"
	}
}

// TestIdleConnectionsLeaveOpenFiles opens more idle connections than a server may open files,
// at two addresses from one: both of them and the management answer all the same, and no
// connection waits until others end by themselves.
func TestIdleConnectionsLeaveOpenFiles(t *testing.T) {
	t.Parallel()
	const each = 250
	p := startWith(t, openFiles(400), "--profile", "ocd-users@127.0.0.1:0", "--profile", "snippit@127.0.0.1:0", "--store", database(t), "--max-connections", "10000")
	eventually(t, "what is in effect is logged", func() bool {
		log := p.log.String()
		return strings.Contains(log, "--max-connections is more than") && strings.Contains(log, `"in_effect":75`)
	})
	for _, url := range p.urls {
		for range each {
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n") // it may have made way
		}
	}
	for range 3 {
		p.client.CloseIdleConnections()
		p.want(t, http.StatusOK, "GET", p.manage+"/readyz", "", "")
		p.want(t, http.StatusBadRequest, "POST", p.urls["ocd-users"]+"/api/login/", "", `{"username": "ann", "password": "wrong"}`)
		p.want(t, http.StatusNotFound, "GET", p.urls["snippit"]+"/none", "", "")
	}
	if log := p.log.String(); strings.Contains(log, "could not be accepted") {
		t.Errorf("log:\n%s", log)
	}
}

// TestApplicationsLeaveOpenFiles has a client of one address wait for as many answers of an application as it may: each
// takes a file for the client's connection, and one for that to the application.
func TestApplicationsLeaveOpenFiles(t *testing.T) {
	t.Parallel()
	application, answer := slowApplication(t)
	p := startWith(t, openFiles(1024), "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--front", application, "--store", database(t))
	defer answer() // a server that stops waits for its requests
	flood(t, p)
}

// TestReloadedApplicationsLeaveOpenFiles is the same where the application is there since a reload.
func TestReloadedApplicationsLeaveOpenFiles(t *testing.T) {
	t.Parallel()
	application, answer := slowApplication(t)
	file := filepath.Join(t.TempDir(), "c.yaml")
	const listener = "listeners:\n  - profile: ocd-users\n    address: 127.0.0.1:0\n"
	put(t, file, listener)
	p := startWith(t, openFiles(1024), "--config", file, "--store", database(t))
	put(t, file, listener+"    front: {old: \""+application+"\"}\n")
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the settings are reloaded", func() bool { return strings.Contains(p.log.String(), "reloaded settings") })
	defer answer()
	flood(t, p)
}

// slowApplication is an application that answers some requests when answer is called.
func slowApplication(t *testing.T) (url string, answer func()) {
	t.Helper()
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-over
		}
	}))
	answer = sync.OnceFunc(func() { close(over) })
	t.Cleanup(func() { answer(); s.Close() })
	return s.URL, answer
}

// flood waits for as many answers of an application from one address as it may, and has others answered meanwhile.
func flood(t *testing.T, p *process) {
	t.Helper()
	elsewhere := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 9, 0, 1)}}
	for range 1100 {
		c, err := elsewhere.Dial("tcp", strings.TrimPrefix(p.urls["ocd-users"], "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") // it may have made way
	}
	for range 3 {
		p.client.CloseIdleConnections()
		p.want(t, http.StatusOK, "GET", p.manage+"/readyz", "", "")
		p.want(t, http.StatusBadRequest, "POST", p.urls["ocd-users"]+"/api/login/", "", `{"username": "ann", "password": "wrong"}`)
		p.want(t, http.StatusOK, "GET", p.urls["ocd-users"]+"/quick", "", "")
	}
	if log := p.log.String(); strings.Contains(log, "could not be accepted") || strings.Contains(log, "can't be reached") {
		t.Errorf("log:\n%s", log)
	}
}
