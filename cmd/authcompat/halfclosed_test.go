package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// halfClosing is a client that closes its sending side after each request, and then reads
// the response.
type halfClosing struct {
	address string
	config  *tls.Config // nil: no TLS
}

func (c halfClosing) send(t *testing.T, method, path, token, body string) (status int, response []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", c.address)
	if err == nil && c.config != nil {
		conn = tls.Client(conn, c.config)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if token != "" {
		token = "Authorization: Token " + token + "\r\n"
	}
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: a\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, token, len(body), body)
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if response, err = io.ReadAll(r.Body); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, response
}

// TestHalfClosingClients checks that closing the sending side does not count as leaving.
func TestHalfClosingClients(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"http", "https"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t)}
			c := halfClosing{}
			if name == "https" {
				folder := t.TempDir()
				writeCertificate(t, folder, 1)
				args = append(args, "--tls-cert", folder+"/cert.pem", "--tls-key", folder+"/key.pem")
				c.config = &tls.Config{InsecureSkipVerify: true} //#nosec
			}
			p := start(t, args...)
			c.address = strings.TrimPrefix(strings.TrimPrefix(p.urls["ocd-users"], "http://"), "https://")
			const account = `{"username": "ann", "password": "correct horse battery", "email": "ann@example.org"}`
			if status, got := c.send(t, "POST", "/api/register/", "", account); status != http.StatusOK && status != http.StatusCreated {
				t.Fatalf("registration: %d %s", status, got)
			}
			for range 10 {
				status, got := c.send(t, "POST", "/api/login/", "", account)
				var session struct{ Token string }
				if err := json.Unmarshal(bytes.ToLower(got), &session); status != http.StatusOK || err != nil || session.Token == "" {
					t.Fatalf("login: %d %s (%v)", status, got, err)
				}
				if status, got := c.send(t, "POST", "/api/logout/", session.Token, ""); status/100 != 2 {
					t.Errorf("logout: %d %s", status, got)
				}
				if status, got := c.send(t, "POST", "/api/logout/", session.Token, ""); status != http.StatusUnauthorized {
					t.Errorf("a token after logout: %d %s", status, got)
				}
			}
		})
	}
}
