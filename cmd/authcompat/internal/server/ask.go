package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/ask"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/identity"
	"github.com/authcompat/authcompat/profiles"
)

// asked answers proxies and services. A reload replaces its handler.
type asked struct{ handler atomic.Pointer[http.Handler] }

// ServeHTTP implements http.Handler.
func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*a.handler.Load()).ServeHTTP(w, r)
}

// listenAsked opens the listener of proxies and services, if there is one.
func (s *server) listenAsked(ctx context.Context, f *config.Server, all []config.BoundProfile, trusted httpserver.Proxies, connections int) error {
	if f.Ask == "" {
		return nil
	}
	handler, err := s.askHandler(ctx, f, all, trusted)
	if err != nil {
		return err
	}
	s.asked.handler.Store(&handler)
	var certificate *httpserver.Certificate
	if f.AskTLS {
		certificate = s.tls
	}
	if err := s.servers.Listen(f.Ask, &s.asked, httpserver.ListenOptions{
		Certificate: certificate, TLS: func() httpserver.TLSOptions { return s.current().AskTLSOptions() },
		Log: s.log, MaxConnections: connections, MaxHeaderBytes: f.MaxHeaderBytes, MaxHeaderFields: f.MaxHeaderFields,
		Rejected: s.metrics.CountRejected,
		// All who ask are proxies or services, each with many connections from one address.
		Trusted: func(netip.Addr) bool { return true },
	}); err != nil {
		return fmt.Errorf("--ask: %w", err)
	}
	return nil
}

// askHandler returns what answers for these profiles.
func (s *server) askHandler(ctx context.Context, f *config.Server, all []config.BoundProfile, trusted httpserver.Proxies) (http.Handler, error) {
	o := httpserver.InstrumentOptions{
		Proxies: trusted, AnyForwarded: true, Recorder: s.metrics, Bodies: s.bodies, Log: s.log, Requests: httpserver.RequestLog(f.LogRequests.String()),
	}
	other := o // what is of no profile is not counted
	o.Callers = s.counter(&f.Config)
	identify, err := s.askIdentify(ctx, f)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]http.Handler)
	for _, p := range all {
		gate, err := dialects.NewGate(p.Profile, s.engine.Service, s.dialectOptions(&f.Config)...)
		if err != nil {
			return nil, err
		}
		if old := s.olds[p.Profile.Name]; old != nil {
			gate = old.Gate(gate)
		}
		api := ask.New(ask.Options{Profile: p.Profile, Gate: gate, Engine: s.engine.Service, Callers: f.Callers, Identify: identify})
		own := o
		own.AnyForwarded = !takesPasswords(p.Profile)
		byName[p.Profile.Name] = httpserver.Instrument(api, p.Profile.Name, own)
	}
	return ask.NewMux(byName, httpserver.Instrument(http.HandlerFunc(ask.NotFound), "", other)), nil
}

// takesPasswords reports whether questions about an API can have passwords in them, whose guesses are limited by
// the address of the client: a proxy that is not trusted has one limit for all of its clients.
func takesPasswords(p *profiles.Profile) bool {
	return slices.ContainsFunc(p.Authentication, func(a profiles.Authentication) bool { return a.Kind == profiles.AuthenticateBasic })
}

// askIdentify returns what adds to the answer about a good token whose it is; nil: nothing does.
func (s *server) askIdentify(ctx context.Context, f *config.Server) (func(http.Header, *core.Session), error) {
	if !f.AskIdentity.On {
		return nil, nil
	}
	keys, err := s.identityKeys(ctx, f.AskIdentityFile(), f.AskIdentityAt())
	if err != nil {
		return nil, err
	}
	signer := front.Identity{Keys: keys}
	return func(h http.Header, session *core.Session) {
		if value, ok := signer.Sign(session); ok {
			h[identity.Header] = []string{value}
		}
	}, nil
}
