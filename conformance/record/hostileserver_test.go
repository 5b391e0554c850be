package record_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/wire/wiretest"
)

// TestProxyKeepsReplyEnds asks twice on one connection, of servers whose answers have two ends, or bodies where there is none:
// the second reply begins where the first one ends.
func TestProxyKeepsReplyEnds(t *testing.T) {
	for name, answer := range map[string]string{
		"two lengths":      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"no answer":        "nothing that is HTTP\r\n\r\n",
		"a body with none": "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
		"ordinary":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			server, _ := wiretest.Serve(t, answer)
			proxied(t, server, func(url string) {
				conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				r := bufio.NewReader(conn)
				for i := range 2 {
					fmt.Fprintf(conn, "%s /%d HTTP/1.1\r\nHost: a\r\n\r\n", method, i)
					response, err := http.ReadResponse(r, &http.Request{Method: method})
					if err != nil {
						t.Errorf("%s %s, reply %d: %v", method, name, i+1, err)
						return
					}
					if _, err := io.Copy(io.Discard, response.Body); err != nil {
						t.Errorf("%s %s, body %d: %v", method, name, i+1, err)
					}
				}
				if n := r.Buffered(); n > 0 {
					t.Errorf("%s %s: %d bytes are left", method, name, n)
				}
			})
		}
	}
}
