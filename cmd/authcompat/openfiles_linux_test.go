package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// TestIdleConnectionsLeaveOpenFiles opens more idle connections than a server may open files,
// at two addresses from one: both of them and the management answer all the same, and no
// connection waits until others end by themselves.
func TestIdleConnectionsLeaveOpenFiles(t *testing.T) {
	t.Parallel()
	const files, each = 400, 250
	limited := func(c *exec.Cmd) {
		c.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, files), "sh", c.Path}, c.Args[1:]...)
		c.Path = "/bin/sh"
	}
	p := startWith(t, limited, "--profile", "ocd-users@127.0.0.1:0", "--profile", "snippit@127.0.0.1:0", "--store", database(t), "--max-connections", "10000")
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
