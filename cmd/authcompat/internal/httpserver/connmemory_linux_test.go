package httpserver

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// live returns the bytes of the heap and the stacks after a collection.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestMemoryOfConnections holds the figures of docs/security.md: what a connection takes by
// what its client has sent. Over TLS, the client's end is in them too.
func TestMemoryOfConnections(t *testing.T) {
	const connections = 300
	var fields strings.Builder
	for i := range 90 {
		fmt.Fprintf(&fields, "x%d: %s\r\n", i, strings.Repeat("a", 150))
	}
	const head, post = "GET / HTTP/1.1\r\nHost: x\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n"
	body, begun := strings.Repeat("a", smallBody), append([]byte{1, 0, 0xea, 0x60}, make([]byte, 7800)...)
	hello := record(begun[:4000]) + record(begun[4000:])
	for _, test := range []struct {
		name   string
		secure bool
		text   string
		most   int64 // KB
	}{
		{"a request", false, head + "\r\n", 25},
		{"a long line without an end", false, "GET /" + strings.Repeat("a", 16000), 28},
		{"many fields without an end", false, head + fields.String(), 45},
		{"a body without an end", false, post + "\r\n" + body, 45},
		{"a large head, and a body without an end", false, post + fields.String() + "\r\n" + body, 65},
		{"TLS, an unfinished handshake", true, hello, 32},
		{"TLS, a request", true, head + "\r\n", 28},
		{"TLS, a long line without an end", true, "GET /" + strings.Repeat("a", 16000), 70},
		{"TLS, a large head, and a body without an end", true, post + fields.String() + "\r\n" + body, 120},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(-1)) // stacks shrink at each collection
			answer := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) }
			address := ""
			if test.secure {
				address, _ = mustServeTLSWith(t, new(counted), answer)
			} else {
				address = mustServe(t, new(counted), answer)
			}
			before := live()
			for range connections {
				c, err := net.Dial("tcp", address)
				if err == nil && test.secure && test.text != hello {
					c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) //#nosec
					err = c.(*tls.Conn).HandshakeContext(t.Context())
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := io.WriteString(c, test.text); err != nil {
					t.Fatal(err)
				}
			}
			for !allRead(t, address, connections) {
				time.Sleep(5 * time.Millisecond)
			}
			took := (live() - before) / connections
			t.Logf("%.1f KB", float64(took)/1000)
			if took > test.most*1000 {
				t.Errorf("each takes %d bytes, want at most %d KB", took, test.most)
			}
		})
	}
}

// allRead reports whether a listener has so many connections, from which all that has come
// is read (proc_net_tcp.txt of the kernel's documentation).
func allRead(t *testing.T, address string, connections int) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	read := 0
	for line := range strings.Lines(string(table)) {
		const local, state, queues = 1, 3, 4
		if f := strings.Fields(line); strings.HasSuffix(f[local], fmt.Sprintf(":%04X", n)) && f[state] == "01" && strings.HasSuffix(f[queues], ":00000000") {
			read++
		}
	}
	return read == connections
}
