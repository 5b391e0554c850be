package pgconn

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestMalformedMessages checks that a server that speaks something else than PostgreSQL's
// protocol ends no process.
func TestMalformedMessages(t *testing.T) {
	for name, answer := range map[string]string{
		"an error without a terminator": "E\x00\x00\x00\x0cSFATAL!!",
		"an authentication cut short":   "R\x00\x00\x00\x05\x00",
		"an empty notice":               "N\x00\x00\x00\x04",
		"a parameter without a value":   "S\x00\x00\x00\x06ab",
		"HTTP":                          "HTTP/1.1 400 Bad Request\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = c.Read(make([]byte, 1024))
					_, _ = c.Write([]byte(answer))
					_ = c.Close()
				}
			}()
			settings, err := Parse("postgres://u:canary@" + l.Addr().String() + "/d?sslmode=disable")
			if err != nil {
				t.Fatal(err)
			}
			c := newConnector(settings, nil)
			r := c.try(t.Context(), 0, time.Now().Add(5*time.Second))
			if r.err == nil || strings.Contains(r.err.Error(), "canary") {
				t.Errorf("error %v", r.err)
			}
		})
	}
}
