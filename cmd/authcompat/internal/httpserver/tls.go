package httpserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
	"github.com/authcompat/authcompat/profiles/smallfile"
)

// certificateInterval is how often a certificate's file is checked for changes.
const certificateInterval = time.Minute

// Certificate is a TLS certificate in files that may change.
type Certificate struct{ current atomic.Pointer[loadedPair] }

// loadedPair is what was read from the files.
type loadedPair struct {
	certFile, keyFile string
	text              []byte // of certFile
	pair              tls.Certificate
}

// LoadCertificate reads a certificate chain and its key, both PEM. It fails if one is
// invalid or they don't belong together.
func LoadCertificate(ctx context.Context, certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{}
	return c, c.Reload(ctx, certFile, keyFile)
}

// OfItself returns the settings of clients in this process that speak to listeners with the certificate: it is trusted as it
// is then, whatever its names and its issuer, and no other is. Such clients know the listener by its address,
// which certificates rarely name.
func (c *Certificate) OfItself() *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection checks more than names
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, c.current.Load().pair.Certificate[0]) {
				return errors.New("this is not the certificate of this process")
			}
			return nil
		},
	}
}

// Reload reads the files again. If they are invalid it fails, and the certificate stays as
// it was.
func (c *Certificate) Reload(ctx context.Context, certFile, keyFile string) error {
	loaded, certErr, keyErr := readPair(ctx, certFile, keyFile)
	if err := cmp.Or(certErr, keyErr); err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	c.current.Store(loaded)
	return nil
}

// CheckCertificate returns what is wrong with the file of a certificate and with that of
// its key. If they don't belong together, that is an error of the certificate.
func CheckCertificate(ctx context.Context, certFile, keyFile string) (certErr, keyErr error) {
	_, certErr, keyErr = readPair(ctx, certFile, keyFile)
	return certErr, keyErr
}

// readPair reads a certificate and its key, with an error for each of the files.
func readPair(ctx context.Context, certFile, keyFile string) (_ *loadedPair, certErr, keyErr error) {
	text, certErr := readPEM(ctx, certFile)
	key, keyErr := readPEM(ctx, keyFile)
	if certErr != nil || keyErr != nil {
		return nil, certErr, keyErr
	}
	pair, err := tls.X509KeyPair(text, key)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", certFile, keyFile, err), nil
	}
	return &loadedPair{certFile: certFile, keyFile: keyFile, text: text, pair: pair}, nil, nil
}

// readPEM reads a file. The error shows no text that is given in place of the name.
func readPEM(ctx context.Context, file string) ([]byte, error) {
	if IsPEM(file) {
		return nil, errPEM
	}
	return smallfile.Read(ctx, file)
}

var errPEM = errors.New("this is a certificate or a key itself, and not shown: write it to a file, and give the name of that")

// IsPEM reports whether what is given as the name of a file is the text of one, in PEM or
// that in base64, and may be a private key.
func IsPEM(file string) bool {
	return strings.Contains(file, "-----BEGIN") || strings.HasPrefix(file, "LS0tLS1CRUdJTi")
}

// config returns the TLS configuration of a listener, whose handshakes each go by the
// options of their time. HTTP/2 is not offered (see GO-2026-6617).
func (c *Certificate) config(options func() TLSOptions) *tls.Config {
	all := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current.Load().pair, nil
		},
	}
	all.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		one := all.Clone()
		options().apply(one)
		return one, nil
	}
	return all
}

// Watch reads the files again whenever the certificate has changed, until ctx ends, and
// logs the result.
func (c *Certificate) Watch(ctx context.Context, log *slog.Logger) {
	for wait.For(ctx, certificateInterval) {
		old := c.current.Load()
		now, err := smallfile.Read(ctx, old.certFile)
		if err != nil || bytes.Equal(now, old.text) {
			continue
		}
		loaded, certErr, keyErr := readPair(ctx, old.certFile, old.keyFile)
		if err := cmp.Or(certErr, keyErr); err != nil {
			log.Error("certificate not reloaded: the old one stays", "error", err)
			continue
		}
		// A reload in between may have named other files.
		if c.current.CompareAndSwap(old, loaded) {
			log.Info("certificate reloaded")
		}
	}
}
