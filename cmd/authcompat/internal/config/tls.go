package config

import (
	"context"
	"crypto/tls"
	"slices"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// The keys of a listener that override tls.min_version and tls.legacy_ciphers.
const (
	minVersionKey    = "tls_min_version"
	legacyCiphersKey = "tls_legacy_ciphers"
)

// newMinVersion returns the value of --tls-min-version.
func newMinVersion() flagvalue.Enum {
	return flagvalue.Enum{Value: "1.2", Values: []string{"1.0", "1.1", "1.2", "1.3"}}
}

// versionOf returns the number of a version of TLS.
func versionOf(name string) uint16 {
	first := newMinVersion().Values
	return tls.VersionTLS10 + uint16(max(0, slices.Index(first, name)))
}

// tlsBinding are a listener's own settings of TLS.
type tlsBinding struct{ minVersion, legacyCiphers section.Option }

// options returns both.
func (b *tlsBinding) options() []*section.Option {
	return []*section.Option{&b.minVersion, &b.legacyCiphers}
}

// read reads the key of a listener.
func (b *tlsBinding) read(e yamlfile.Entry) {
	version, legacy := newMinVersion(), flagvalue.Toggle(false)
	o, set := &b.minVersion, version.Set
	if e.Name == legacyCiphersKey {
		o, set = &b.legacyCiphers, legacy.Set
	}
	if !section.IsScalar(e.Value) {
		e.Value.Refuse("want a value")
		return
	}
	if err := set(e.Value.Node.Value); err != nil {
		e.Value.Refuse("%v", err)
		return
	}
	*o = section.Option{Key: e.Name, Value: version.Value, At: section.Place(e.Value)}
	if e.Name == legacyCiphersKey {
		o.Value = legacy.String()
	}
}

// tlsOptions returns the settings of TLS of a listener.
func (f *Server) tlsOptions(l binding) httpserver.TLSOptions {
	o := httpserver.TLSOptions{MinVersion: versionOf(f.TLSMinVersion.Value), LegacyCiphers: bool(f.TLSLegacyCiphers)}
	if own := l.tls.minVersion.Value; own != "" {
		o.MinVersion = versionOf(own)
	}
	if own := l.tls.legacyCiphers.Value; own != "" {
		legacy := flagvalue.Toggle(false)
		_ = legacy.Set(own) // it is one that a toggle takes
		o.LegacyCiphers = bool(legacy)
	}
	return o
}

// checkTLSOptions checks that settings of TLS have an effect.
func (f *Server) checkTLSOptions(ctx context.Context, found *section.Problems) {
	if found.Refused["tls-cert"] || found.Refused["tls-key"] {
		return
	}
	on := f.TLSCertFile != ""
	if !on && f.TLSMinVersion.Value != newMinVersion().Value {
		found.Add(f.source("tls-min-version"), needsTLS)
	}
	if !on && bool(f.TLSLegacyCiphers) {
		found.Add(f.source("tls-legacy-ciphers"), needsTLS)
	}
	if !on && bool(f.AskTLS) {
		found.Add(f.source(askTLSFlag), needsTLS)
	}
	for _, l := range f.bindings {
		for _, o := range l.tls.options() {
			if !on && o.Value != "" {
				found.Add(o.At, needsTLS)
			}
		}
		if on {
			f.checkLegacyCiphers(ctx, l, found)
		}
	}
}

const needsTLS = "needs TLS: give a certificate too (--tls-cert, tls.cert_file)"

// checkLegacyCiphers checks that a listener can use the ciphers if it allows them.
func (f *Server) checkLegacyCiphers(ctx context.Context, l binding, found *section.Problems) {
	o, at := f.tlsOptions(l), l.tls.legacyCiphers.At
	if at == "" {
		at = f.source("tls-legacy-ciphers")
	}
	if !o.LegacyCiphers {
		return
	}
	if o.MinVersion > tls.VersionTLS12 {
		found.Add(at, "TLS 1.3 has none: allow TLS 1.2 or older too")
	}
	if certErr, keyErr := httpserver.CheckCertificate(ctx, f.TLSCertFile, f.TLSKeyFile); certErr == nil && keyErr == nil && !httpserver.HasRSAKey(ctx, f.TLSCertFile, f.TLSKeyFile) {
		found.Add(at, "needs a certificate with an RSA key, which that of %s is not", f.TLSCertFile)
	}
}
