package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRejectedRequests sends what net/http refuses by itself: it is counted by reason and
// logged without anything the client sent, and the replies have the API's headers.
func TestRejectedRequests(t *testing.T) {
	t.Parallel()
	const marker = "correct-horse-battery"
	requests := []struct{ reason, status, text string }{
		{"malformed", "400", "GET\r\n\r\n"},
		{"malformed", "400", "POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Length: " + marker + "\r\n\r\n"},
		{"host", "400", "GET /api/check/?" + marker + " HTTP/1.1\r\n\r\n"},
		{"header_size", "431", "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat(marker, 2000) + "\r\n\r\n"},
		{"header_size", "431", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("a:\r\n", 100) + "\r\n"},
		{"header_size", "431", "POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n" + strings.Repeat("a:\n", 4000) + "\n" + strings.Repeat("x", 20000)},
		{"transfer_encoding", "501", "POST /api/login/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + marker + "\r\n\r\n"},
		{"expectation", "417", "POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: " + marker + "\r\n\r\n{}"},
		{"http_version", "505", "GET / HTTP/3.0\r\nHost: a\r\n\r\n"},
	}
	for _, name := range []string{"http", "https"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--profile", "authtokens", "--listen", "127.0.0.1:0", "--store", database(t), "--manage", "127.0.0.1:0"}
			if name == "https" {
				folder := t.TempDir()
				writeCertificate(t, folder, 1)
				args = append(args, "--tls-cert", folder+"/cert.pem", "--tls-key", folder+"/key.pem")
			}
			p := start(t, args...)
			address := strings.TrimPrefix(p.urls["authtokens"], name+"://")
			dial := func(t *testing.T) net.Conn {
				t.Helper()
				conn, err := net.DialTimeout("tcp", address, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				if name == "https" {
					conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //#nosec
				}
				t.Cleanup(func() { conn.Close() })
				return conn
			}
			// A request that is answered comes first on every other connection.
			// It has as many header fields as a request may have.
			before := "OPTIONS /api/login/ HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("a:\r\n", 99) + "\r\n"
			for i, r := range requests {
				t.Run(fmt.Sprintf("%d %s", i, r.reason), func(t *testing.T) {
					for _, first := range []string{"", before} {
						conn := dial(t)
						_, _ = io.WriteString(conn, first+r.text) // the server may have closed by then
						reply, err := io.ReadAll(conn)
						if err != nil {
							t.Fatalf("%v after %q", err, reply)
						}
						got := string(reply)
						if at := strings.LastIndex(got, "HTTP/1.1 "); at < 0 || !strings.HasPrefix(got[at:], "HTTP/1.1 "+r.status) {
							t.Errorf("%q", got)
						} else if head, _, _ := strings.Cut(got[at:], "\r\n\r\n"); !strings.Contains(head, "\r\nAccess-Control-Allow-Origin: *") {
							t.Errorf("no header of the API: %q", head)
						}
					}
				})
			}
			want := map[string]float64{"malformed": 4, "host": 2, "header_size": 6, "transfer_encoding": 2, "expectation": 2, "http_version": 2, "tls_handshake": 0}
			if name == "https" {
				for _, text := range []string{"GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01" + marker} {
					conn, err := net.DialTimeout("tcp", address, time.Minute)
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					if _, err := io.WriteString(conn, text); err != nil {
						t.Fatal(err)
					}
					if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					reply, _ := io.ReadAll(conn) // a reset after the reply is as good as an end
					if plain := strings.HasPrefix(text, "GET"); plain != strings.Contains(string(reply), "HTTP request to an HTTPS server") {
						t.Errorf("%q: %q", text, reply)
					}
				}
				want["tls_handshake"] = 2
			}
			for reason, n := range want {
				if got := p.metric(t, `authcompat_rejected_requests_total{reason="`+reason+`"}`); got != n {
					t.Errorf("%s: %v, want %v", reason, got, n)
				}
			}
			p.end(t) // its log is whole
			log := p.log.String()
			if !strings.Contains(log, "rejected before it reached the API") || !strings.Contains(log, `"client":"127.0.0.1:`) && !strings.Contains(log, "client=127.0.0.1:") {
				t.Errorf("the log says nothing of it: %s", log)
			}
			if strings.Contains(log, "battery") {
				t.Errorf("the log has what a client sent: %s", log)
			}
		})
	}
}

// TestHeaderLimits sends heads that are as large as settings allow, and larger.
func TestHeaderLimits(t *testing.T) {
	t.Parallel()
	// head returns a request's head of so many bytes and fields.
	head := func(bytes, fields int) string {
		text := "OPTIONS /api/login/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + strings.Repeat("a:\r\n", fields-3)
		return text + "b: " + strings.Repeat("x", bytes-len(text)-len("b: \r\n\r\n")) + "\r\n\r\n"
	}
	for _, limits := range []struct{ bytes, fields int }{{8192, 20}, {65536, 1000}, {0, 0}} {
		args := append(cheap, "--profile", "ocd-users", "--store", database(t))
		if limits.bytes > 0 {
			args = append(args, "--max-header-bytes", strconv.Itoa(limits.bytes), "--max-header-fields", strconv.Itoa(limits.fields))
		} else {
			limits.bytes, limits.fields = 16384, 100
		}
		p := start(t, args...)
		for _, test := range []struct {
			bytes, fields int
			want          string
		}{
			{limits.bytes, 10, "200 OK"},
			{limits.bytes + 1, 10, "431 Request Header Fields Too Large"},
			{8192, limits.fields, "200 OK"},
			{8192, limits.fields + 1, "431 Request Header Fields Too Large"},
		} {
			reply := untilClosed(t, strings.TrimPrefix(p.urls["ocd-users"], "http://"), head(test.bytes, test.fields))
			if !strings.HasPrefix(reply, "HTTP/1.1 "+test.want) {
				t.Errorf("with %d bytes and %d fields as limits, %d and %d: %q, want %s", limits.bytes, limits.fields, test.bytes, test.fields, reply, test.want)
			}
		}
	}
}

// TestPipelinedHeads splits the head of a second request at every byte of its end: what
// came with the request before is not counted again, and lines of a body are no header.
func TestPipelinedHeads(t *testing.T) {
	t.Parallel()
	p := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t))
	body := "{" + strings.Repeat("\n", 300) + "}"
	first := "OPTIONS /api/login/ HTTP/1.1\r\nHost: a\r\n\r\n"
	second := fmt.Sprintf("POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", len(body))
	for cut := len(second) - 6; cut <= len(second); cut++ {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.urls["ocd-users"], "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, first+second[:cut]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // so that it is read by then
		if _, err := io.WriteString(conn, second[cut:]+body); err != nil {
			t.Fatal(err)
		}
		reply, err := io.ReadAll(conn)
		if err != nil || !strings.Contains(string(reply), "HTTP/1.1 400 Bad Request") || !strings.Contains(string(reply), "This field is required") {
			t.Errorf("cut after %q: %q, error %v", second[:cut], reply, err)
		}
	}
}

// TestHeadAfterAnEmptyLine sends, after a POST, an empty line and a head that never ends:
// its fields are counted while they are read, as those of every other.
func TestHeadAfterAnEmptyLine(t *testing.T) {
	t.Parallel()
	p := start(t, "--profile", "ocd-users", "--listen", "127.0.0.1:0", "--store", database(t))
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.urls["ocd-users"], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(8 * time.Second)); err != nil { // before the server's own
		t.Fatal(err)
	}
	replies := bufio.NewReader(conn)
	if _, err := io.WriteString(conn, "POST /api/login/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	first, err := http.ReadResponse(replies, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, first.Body); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"\r\n", "GET /api/login/ HTTP/1.1\r\nHost: a\r\n", strings.Repeat("a:\r\n", 200)} {
		if _, err := io.WriteString(conn, part); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // so that it is read by then
	}
	second, err := http.ReadResponse(replies, nil)
	if err != nil || second.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v, error %v", second, err)
	}
}
