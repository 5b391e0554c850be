package config

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/core/password"
	"github.com/authcompat/authcompat/store"
)

// Resolve sets each setting that is not on the command line from its variable or from the
// configuration file (file, if --config names none), and checks all of them. It returns the
// profiles to serve with their addresses. The error has all problems, one a line. Resolve
// reads files, but opens neither the store nor a listener. If ctx ends meanwhile, its error
// is the only one.
func (f *Server) Resolve(ctx context.Context, file string) ([]BoundProfile, error) {
	found := &section.Problems{}
	apply(ctx, f.flags, found)
	if file != "" {
		f.applyArgument(ctx, file, found)
	}
	if found.Unread {
		return nil, cmp.Or(ctx.Err(), found.Err()) // of most settings it is not known what they should be
	}
	f.checkValues(found)
	if err := store.ValidateDSN(f.Engine.Store); err != nil {
		found.Add(f.source("store"), "%v", err)
	}
	f.checkMapping(ctx, found)
	f.checkKeys(ctx, found)
	f.checkCertificate(ctx, found)
	f.checkTLSOptions(ctx, found)
	f.checkAddresses(found)
	f.checkFront(found)
	f.checkConsole(found)
	f.checkAsk(ctx, found)
	f.checkMail(ctx, found)
	f.checkPasswords(found)
	all := f.loadProfiles(ctx, found)
	f.checkLists(all, found)
	f.checkListen(found)
	return all, cmp.Or(ctx.Err(), found.Err())
}

// ErrNotRead is that of problems of which one is a configuration file that could not be read at all.
var ErrNotRead = section.ErrNotRead

// source returns where a setting comes from.
func (f *Server) source(flag string) string { return source(f.flags.Lookup(flag), 0) }

// The bounds of the limits of a request's head. 8000 bytes are what any server should
// support (RFC 9112, section 3), and unauthenticated clients hold the memory.
const (
	minHeaderBytes, maxHeaderBytes   = 8 << 10, 256 << 10
	minHeaderFields, maxHeaderFields = 20, 1000
)

// checkValues checks each value by itself.
func (f *Server) checkValues(found *section.Problems) {
	for _, n := range []struct {
		flag               string
		value, least, most int
	}{
		{"password-iterations", f.Engine.Iterations, 1, password.MaxIterations},
		{"hash-concurrency", f.HashConcurrency, 0, 1024},
		{"hash-queue", f.HashQueue, 0, 1_000_000},
		{"max-connections", f.MaxConnections, 0, 10_000_000},
		{"max-header-bytes", f.MaxHeaderBytes, minHeaderBytes, maxHeaderBytes},
		{"max-header-fields", f.MaxHeaderFields, minHeaderFields, maxHeaderFields},
	} {
		if !found.Refused[n.flag] && (n.value < n.least || n.value > n.most) {
			found.Add(f.source(n.flag), "%d: want %d to %d", n.value, n.least, n.most)
		}
	}
	for i, value := range f.TrustedProxies {
		if _, err := httpserver.ParseProxy(value); err != nil {
			found.Add(source(f.flags.Lookup("trusted-proxy"), i), "%v", err)
		}
	}
	if f.Pprof && f.Manage == "" && !found.Refused["manage"] {
		found.Add(f.source("pprof"), "needs the management listener: give --manage too")
	}
	if f.CountCallers.Value == "on" && f.CallersRetention == 0 && !found.Refused[callersRetentionFlag] {
		found.Add(f.source(callersRetentionFlag), "0 keeps nothing, but callers are to be counted (%s): give for instance 90d, or off there", f.source(callersCountFlag))
	}
	if found.Refused["tls-cert"] || found.Refused["tls-key"] {
		return
	}
	switch {
	case f.TLSKeyFile == "" && f.TLSCertFile != "":
		found.Add(f.source("tls-cert"), "needs the certificate's key (--tls-key, tls.key_file) too")
	case f.TLSKeyFile != "" && f.TLSCertFile == "":
		found.Add(f.source("tls-key"), "needs the certificate (--tls-cert, tls.cert_file) too")
	}
}

// checkKeys reads the sealing keys, and creates none.
func (f *Server) checkKeys(ctx context.Context, found *section.Problems) {
	keys := keyring.Location{File: f.KeyFile, DSN: f.Engine.Store}
	err := keys.Check(ctx)
	if err == nil || f.KeyFile == "" && errors.Is(err, fs.ErrNotExist) {
		return // the start makes them, or tells what is missing
	}
	at := keys.Setting()
	if flag, ok := strings.CutPrefix(at, "--"); ok {
		at = f.source(flag)
	}
	found.Add(at, "%v", err)
}

// checkCertificate reads the certificate and its key.
func (f *Server) checkCertificate(ctx context.Context, found *section.Problems) {
	if f.TLSCertFile == "" || f.TLSKeyFile == "" {
		return
	}
	certErr, keyErr := httpserver.CheckCertificate(ctx, f.TLSCertFile, f.TLSKeyFile)
	if certErr != nil {
		found.Add(f.source("tls-cert"), "%v", certErr)
	}
	if keyErr != nil {
		found.Add(f.source("tls-key"), "%v", keyErr)
	}
}

// spots returns the addresses of all listeners.
func (f *Server) spots() (spots []frontconfig.Listener) {
	for _, l := range f.bindings {
		if l.address != "" {
			spots = append(spots, frontconfig.Listener{Address: l.address, At: f.addressAt(l)})
		}
	}
	// If several profiles are without an address, loadProfiles reports it.
	if len(f.bindings) == 0 || slices.ContainsFunc(f.bindings, binding.unbound) {
		spots = append(spots, frontconfig.Listener{Address: f.listen, At: f.source("listen")})
	}
	if f.Manage != "" {
		spots = append(spots, frontconfig.Listener{Address: f.Manage, At: f.source("manage")})
	}
	if f.Ask != "" {
		spots = append(spots, frontconfig.Listener{Address: f.Ask, At: f.source(askFlag)})
	}
	return spots
}

// checkAddresses checks the addresses of all listeners.
func (f *Server) checkAddresses(found *section.Problems) {
	spots := f.spots()
	for i, s := range spots {
		if err := flagvalue.CheckAddress(s.Address, f.exampleOf(s.Address)); err != nil {
			found.Add(s.At, "%v", err)
			continue
		}
		for _, other := range spots[:i] {
			if collide(s.Address, other.Address) {
				found.Add(s.At, "%s is taken by another listener, %s (%s)", s.Address, other.Address, other.At)
				break
			}
		}
	}
}

// exampleOf returns an address as that of one of the listeners may be.
func (f *Server) exampleOf(address string) string {
	switch address {
	case f.Manage:
		return exampleManage
	case f.Ask:
		return exampleAsk
	}
	return defaultListen
}

// checkListen reports a --listen address that no profile is served at. One from the file is
// only wrong if the listeners are from the file too, because flags override the file.
func (f *Server) checkListen(found *section.Problems) {
	if len(f.bindings) == 0 || found.Refused[listenersFlag] || slices.ContainsFunc(f.bindings, binding.unbound) {
		return
	}
	listen, profiles := f.flags.Lookup("listen"), f.flags.Lookup(listenersFlag)
	if listen.Changed || listen.Annotations[fromConfig] != nil && profiles.Annotations[fromConfig] != nil {
		found.Add(f.source("listen"), "is for a profile without @ADDRESS: give one or the other")
	}
}

// addressAt returns where the address of a binding comes from.
func (f *Server) addressAt(l binding) string {
	if l.addressAt != "" {
		return l.addressAt
	}
	return f.profileAt(l)
}

// profileAt returns where the profile of a binding comes from.
func (f *Server) profileAt(l binding) string {
	if l.profileAt != "" {
		return l.profileAt
	}
	return source(f.flags.Lookup(listenersFlag), 0)
}
