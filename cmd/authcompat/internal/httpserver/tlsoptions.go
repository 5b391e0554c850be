package httpserver

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/tls"
)

// TLSOptions say what clients may use of TLS that today's don't need. The zero value is
// TLS 1.2 and 1.3 with forward secrecy.
type TLSOptions struct {
	// MinVersion is the oldest version, as tls.VersionTLS12; 0: TLS 1.2.
	MinVersion uint16
	// LegacyCiphers allows RSA key exchange and 3DES too, to clients that offer
	// nothing better. It needs a certificate with an RSA key.
	LegacyCiphers bool
}

// Weaknesses names what these options allow that is weak; nil: nothing.
func (o TLSOptions) Weaknesses() (all []string) {
	switch cmp.Or(o.MinVersion, tls.VersionTLS12) {
	case tls.VersionTLS10:
		all = append(all, "TLS 1.0 and 1.1 (deprecated by RFC 8996)")
	case tls.VersionTLS11:
		all = append(all, "TLS 1.1 (deprecated by RFC 8996)")
	}
	if o.LegacyCiphers {
		all = append(all, "RSA key exchange (no forward secrecy: whoever gets the certificate's key can read what was recorded before)",
			"3DES (64-bit blocks)")
	}
	return all
}

// legacyCiphers are the suites that LegacyCiphers adds. Those with RC4 are broken (RFC
// 7465), and crypto/tls does not protect those with CBC and SHA-256 from timing attacks:
// no client has only these.
func legacyCiphers() []uint16 {
	return []uint16{
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	}
}

// apply sets the options in a configuration. crypto/tls prefers what is strong whatever
// the order of the suites.
func (o TLSOptions) apply(c *tls.Config) {
	c.MinVersion = cmp.Or(o.MinVersion, tls.VersionTLS12)
	if !o.LegacyCiphers {
		return
	}
	for _, suite := range tls.CipherSuites() {
		c.CipherSuites = append(c.CipherSuites, suite.ID)
	}
	c.CipherSuites = append(c.CipherSuites, legacyCiphers()...)
}

// HasRSAKey reports whether a certificate, which is valid, has an RSA key.
func HasRSAKey(ctx context.Context, certFile, keyFile string) bool {
	loaded, certErr, keyErr := readPair(ctx, certFile, keyFile)
	if cmp.Or(certErr, keyErr) != nil {
		return false
	}
	_, ok := loaded.pair.PrivateKey.(*rsa.PrivateKey)
	return ok
}
