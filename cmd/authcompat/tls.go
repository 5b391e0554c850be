package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
)

// certificate is a certificate in files that may change.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// loadCertificate reads the files, which have to be good.
func loadCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	return c, c.reload()
}

// reload takes the files as they are now, if they are good.
func (c *certificate) reload() error {
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("--tls-cert %s: %w", c.certFile, err)
	}
	c.current.Store(&loaded)
	return nil
}

// config is what a listener speaks TLS with. HTTP/2 is not offered (see
// GO-2026-6617).
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}

// watch takes the files anew when the certificate has changed, until ctx ends.
func (c *certificate) watch(ctx context.Context, log *slog.Logger) {
	last, _ := os.ReadFile(c.certFile) // one that can't be read has not changed
	for pause(ctx, tlsEvery) {
		now, err := os.ReadFile(c.certFile)
		if err != nil || bytes.Equal(now, last) {
			continue
		}
		if err := c.reload(); err != nil {
			log.Error("certificate not reloaded: the old one stays", "error", err)
			continue
		}
		last = now
		log.Info("certificate reloaded")
	}
}
