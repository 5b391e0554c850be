package wire

import (
	"bufio"
	"errors"
	"strings"
	"testing"
)

func FuzzReadResponse(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nWWW-Authenticate:  Token \r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
		"HTTP/1.0 400 BAD REQUEST\nA: 1\nA: 2\n\nxyz",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
		"HTTP/2 200\r\n\r\n",
	} {
		f.Add(text, "GET")
	}
	f.Add("HTTP/1.1 405 X\r\nContent-Length: 9\r\n\r\n", "HEAD")
	f.Fuzz(func(t *testing.T, text, method string) {
		response, err := readResponse(bufio.NewReader(strings.NewReader(text)), method, &limit{bytes: maxBody})
		if err != nil {
			// Do treats any other error as a connection that ended too early
			var e *Error
			if errors.As(err, &e) && e.Kind != BadResponse {
				t.Errorf("kind %d: %v", e.Kind, err)
			}
			return
		}
		if response.Status < 200 || response.Status > 999 || len(response.Body) > len(text) {
			t.Errorf("status %d, %d bytes of a body", response.Status, len(response.Body))
		}
		for _, h := range response.Headers {
			if h.Name == "" || strings.ContainsAny(h.Name+h.Value, "\n") {
				t.Errorf("header %q: %q", h.Name, h.Value)
			}
		}
	})
}
