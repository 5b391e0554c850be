package httpserver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRepliesBeforeAReset has clients whose connections end with their requests send more than is read of them, or end their
// input with the request over TLS: all get their replies, and no reset behind it.
func TestRepliesBeforeAReset(t *testing.T) {
	begun, more := make(chan struct{}), make(chan struct{})
	handler := func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		_, err := io.Copy(io.Discard, r.Body)
		if <-more; err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}
	const head = "POST / HTTP/1.0\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
	address := mustServe(t, new(counted), handler)
	for _, rest := range []string{"", "\r\n", "\r\nGET / HTTP/1.0\r\n\r\n", strings.Repeat("\r\n", 1000)} {
		c := mustDial(t, address, head)
		<-begun                               // so that what is behind the body is not read with the head
		_, _ = io.WriteString(c, "body"+rest) // the reply tells
		more <- struct{}{}
		if reply, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(reply), "HTTP/1.0 200 OK\r\n") {
			t.Errorf("%d bytes behind the body: %q, %v", len(rest), reply, err)
		}
	}
	address, client := mustServeTLSWith(t, new(counted), handler)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, together := range []bool{false, true} {
			settings := client.Transport.(*http.Transport).TLSClientConfig.Clone()
			settings.MaxVersion, settings.ServerName = version, "example.com"
			below := &joined{TCPConn: mustDial(t, address, "")}
			c := tls.Client(below, settings)
			err := c.Handshake()
			below.waits = together
			_, _ = io.WriteString(c, head+"body")
			if !together {
				<-begun
			}
			_ = c.CloseWrite()
			_, sent := below.TCPConn.Write(below.text)
			if together {
				<-begun
			}
			more <- struct{}{}
			if err = errors.Join(err, sent); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%s, with the request %t", tls.VersionName(version), together)
			if reply, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(reply), "HTTP/1.0 200 OK\r\n") {
				t.Errorf("%s: %q, %v", name, reply, err)
			}
			if _, err := below.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// joined is a connection that sends at once what is written while it waits.
type joined struct {
	*net.TCPConn
	waits bool
	text  []byte
}

// Write implements net.Conn.
func (c *joined) Write(b []byte) (int, error) {
	if !c.waits {
		return c.TCPConn.Write(b)
	}
	c.text = append(c.text, b...)
	return len(b), nil
}

// SetWriteDeadline implements net.Conn: crypto/tls would let nothing be written after the end of its input.
func (*joined) SetWriteDeadline(time.Time) error { return nil }
