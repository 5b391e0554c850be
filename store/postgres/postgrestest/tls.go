package postgrestest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Encrypt makes the server offer TLS, with a certificate of its own for 127.0.0.1, and
// returns the file that clients need to verify it.
func (c *Cluster) Encrypt(tb testing.TB) (root string) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authcompat test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	root = filepath.Join(c.folder, "server.crt")
	for name, block := range map[string]*pem.Block{
		root:                                  {Type: "CERTIFICATE", Bytes: certificate},
		filepath.Join(c.folder, "server.key"): {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := c.write(name, pem.EncodeToMemory(block)); err != nil {
			tb.Fatal(err)
		}
	}
	c.Exec(tb, `ALTER SYSTEM SET ssl_cert_file = '`+root+`'`, `ALTER SYSTEM SET ssl_key_file = '`+filepath.Join(c.folder, "server.key")+`'`,
		`ALTER SYSTEM SET ssl = on`, `SELECT pg_reload_conf()`)
	return root
}

// write writes a file that only the server's user may read.
func (c *Cluster) write(name string, content []byte) error {
	if err := os.WriteFile(name, content, 0o600); err != nil {
		return err
	}
	who, err := servant()
	if err != nil {
		return err
	}
	return who.Give(name)
}
