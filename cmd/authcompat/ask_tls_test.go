package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeNamedCertificate writes a certificate of localhost and its key, as PEM.
func writeNamedCertificate(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	put(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// TestAskOverTLS asks over TLS with the certificate of the APIs, and by the configurations that
// are printed: proxies that trust another certificate let nothing through.
func TestAskOverTLS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cert, key, other := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"), filepath.Join(folder, "other.pem")
	writeNamedCertificate(t, other, key)
	writeNamedCertificate(t, cert, key)
	requests := &seenRequests{}
	application := httptest.NewServer(requests)
	defer application.Close()
	at := freeAddress(t)
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t), "--tls-cert", cert, "--tls-key", key, "--tls-min-version", "1.0", "--ask", at, "--ask-tls", "on")...)
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	p.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	token := p.register(t, "ann")
	p.want(t, http.StatusOK, http.MethodGet, "https://"+at+"/ocd-users/forward", token, "")
	p.want(t, http.StatusBadRequest, http.MethodGet, "http://"+at+"/ocd-users/forward", token, "")
	// The clients of old TLS are those of the APIs.
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}}
	if a, err := old.Get("https://" + at + "/ocd-users/forward"); err == nil {
		a.Body.Close()
		t.Error("TLS 1.1 is accepted")
	}

	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	s := &askedServer{process: p, requests: requests}
	for _, proxy := range []string{"nginx", "caddy", "haproxy"} {
		through := func(ca string) string {
			return askingProxy(t, proxy, "ocd-users", "localhost:"+port, application.Listener.Addr().String(), "--ask-tls", "on", "--ask-ca-file", ca) + "/private/"
		}
		good, bad := through(cert), through(other)
		if got := s.tell(t, http.MethodGet, good, "", "Token "+token); got.Status != http.StatusOK || len(requests.take()) != 1 {
			t.Errorf("%s: %v", proxy, got)
		}
		if got := s.tell(t, http.MethodGet, good, "", "Token x"); got.Status != http.StatusUnauthorized || !strings.Contains(got.Body, "detail") {
			t.Errorf("%s, a bad token: %v", proxy, got)
		}
		if got := s.tell(t, http.MethodGet, bad, "", "Token "+token); got.Status < 500 {
			t.Errorf("%s, the certificate of somebody else: %v", proxy, got)
		}
		if seen := requests.take(); len(seen) > 0 {
			t.Errorf("%s: the application got %v", proxy, seen)
		}
	}
}
