package httpserver

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// mustServeTLS serves answerOK over TLS, and returns its address and a client that trusts
// it.
func mustServeTLS(t *testing.T, c *counted) (address string, client *http.Client) {
	t.Helper()
	return mustServeTLSWith(t, c, answerOK)
}

// mustServeTLSWith is mustServeTLS with a handler.
func mustServeTLSWith(t *testing.T, c *counted, handler http.HandlerFunc) (address string, client *http.Client) {
	t.Helper()
	example := httptest.NewTLSServer(nil) // for its certificate
	example.Close()
	certificate := &Certificate{}
	certificate.current.Store(&loadedPair{pair: example.TLS.Certificates[0]})
	log := slog.New(slog.DiscardHandler)
	var servers Servers
	if err := servers.Listen("127.0.0.1:0", handler, ListenOptions{Log: log, Rejected: c.reject, Certificate: certificate}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- servers.Serve(ctx, log) }()
	t.Cleanup(func() {
		example.Client().CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return servers[0].Listener.Addr().String(), example.Client()
}

// record returns a TLS record of a handshake message's part (RFC 8446, 5.1).
func record(part []byte) string {
	return "\x16\x03\x01" + string([]byte{byte(len(part) >> 8), byte(len(part))}) + string(part)
}

// TestLongHandshake sends the beginning of a ClientHello of 65,000 bytes: it is refused
// long before it would be complete, or the time for it is over.
func TestLongHandshake(t *testing.T) {
	c := &counted{}
	address, _ := mustServeTLS(t, c)
	hello := append([]byte{1, 0, 0xfd, 0xe8}, make([]byte, 9_000)...)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, record(hello)) // the server may have closed it
	_, _ = io.Copy(io.Discard, conn)
	if got := c.all(); got != string(RejectedTLSHandshake) {
		t.Errorf("rejected for %q", got)
	}
}

// TestLargeRequestsOverTLS sends more than a handshake may have, in one connection.
func TestLargeRequestsOverTLS(t *testing.T) {
	c := &counted{}
	address, client := mustServeTLS(t, c)
	for range 3 {
		body := struct{ io.Reader }{bytes.NewReader(make([]byte, 10*maxUndelivered))} // chunked
		r, err := http.NewRequest(http.MethodPost, "https://"+address, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "example.com"
		r.Header.Set("X-Long", strings.Repeat("a", DefaultMaxHeaderBytes/2))
		client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com"
		reply, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, reply.Body)
		if err = errors.Join(err, reply.Body.Close()); err != nil || reply.StatusCode != http.StatusOK {
			t.Errorf("%s, %v", reply.Status, err)
		}
	}
	if got := c.all(); got != "" {
		t.Errorf("rejected for %q", got)
	}
}

// TestUndelivered reads what TLS makes nothing of, as from a client that sends a long
// handshake message behind the first.
func TestUndelivered(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	go func() {
		for {
			if _, err := client.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}()
	c := &clientConn{below: &tickConn{Conn: server, secured: true, room: maxUndelivered}}
	c.Conn = c.below
	c.body = endless // no head is expected
	for range 100 {  // of which something comes
		if _, err := c.Read(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	n, err := io.Copy(io.Discard, struct{ io.Reader }{c.below})
	if n != maxUndelivered || !errors.Is(err, errUndelivered) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestOfItself has a client of this process trust the certificate of its listeners, of which nobody knows the issuer, and
// no other.
func TestOfItself(t *testing.T) {
	own, other := httptest.NewTLSServer(http.NotFoundHandler()), httptest.NewUnstartedServer(http.NotFoundHandler())
	defer own.Close()
	other.TLS = &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
	other.StartTLS()
	defer other.Close()
	c := &Certificate{}
	c.current.Store(&loadedPair{pair: own.TLS.Certificates[0]})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c.OfItself()}}
	res, err := client.Get(own.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res, err := client.Get(other.URL); err == nil {
		_ = res.Body.Close()
		t.Error("another certificate is trusted")
	}
}

// selfSigned returns a certificate of its own.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
