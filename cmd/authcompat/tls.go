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
type certificate struct{ current atomic.Pointer[loadedPair] }

// loadedPair is what was read from the files.
type loadedPair struct {
	certFile, keyFile string
	text              []byte // of certFile
	pair              tls.Certificate
}

// loadCertificate reads the files, which have to be good.
func loadCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{}
	return c, c.load(certFile, keyFile)
}

// load takes the files as they are now, if they are good.
func (c *certificate) load(certFile, keyFile string) error {
	loaded, err := readPair(certFile, keyFile)
	if err == nil {
		c.current.Store(loaded)
	}
	return err
}

func readPair(certFile, keyFile string) (*loadedPair, error) {
	text, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("--tls-key: %w", err)
	}
	pair, err := tls.X509KeyPair(text, key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s: %w", certFile, err)
	}
	return &loadedPair{certFile: certFile, keyFile: keyFile, text: text, pair: pair}, nil
}

// config is what a listener speaks TLS with. HTTP/2 is not offered (see
// GO-2026-6617).
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current.Load().pair, nil
		},
	}
}

// watch takes the files anew when the certificate has changed, until ctx ends.
func (c *certificate) watch(ctx context.Context, log *slog.Logger) {
	for pause(ctx, tlsEvery) {
		old := c.current.Load()
		now, err := os.ReadFile(old.certFile)
		if err != nil || bytes.Equal(now, old.text) {
			continue
		}
		loaded, err := readPair(old.certFile, old.keyFile)
		if err != nil {
			log.Error("certificate not reloaded: the old one stays", "error", err)
			continue
		}
		// A reload in between may have named other files.
		if c.current.CompareAndSwap(old, loaded) {
			log.Info("certificate reloaded")
		}
	}
}
