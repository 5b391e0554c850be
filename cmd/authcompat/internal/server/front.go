package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/frontconfig"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/adopt"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/identity"
)

// served is what answers at an address.
type served struct {
	http.Handler
	front *front.Front // nil: there is no application behind the API
	old   *adopt.Old   // nil: no users are adopted
}

// handler returns the handler of a profile, behind these proxies.
func (s *server) handler(ctx context.Context, f *config.Config, p config.BoundProfile, trusted httpserver.Proxies) (*served, error) {
	all := &served{}
	if err := s.dialect(ctx, all, f, p); err != nil {
		return nil, err
	}
	all.Handler = httpserver.Instrument(all.Handler, p.Profile.Name, httpserver.InstrumentOptions{
		Proxies: trusted, Recorder: s.metrics, Callers: s.counter(f), Bodies: s.bodies, Log: s.log, Requests: httpserver.RequestLog(f.LogRequests.String()),
	})
	return all, nil
}

// dialect sets what answers for a profile.
func (s *server) dialect(ctx context.Context, all *served, f *config.Config, p config.BoundProfile) (err error) {
	delete(s.olds, p.Profile.Name)
	if err := s.shadowPolicy(p); err != nil {
		return fmt.Errorf("profile %s: %w", p.Profile.Name, err)
	}
	if p.Front == nil {
		all.Handler, err = dialects.New(p.Profile, s.engine.Service, s.dialectOptions(f)...)
		return err
	}
	o, err := s.frontOptions(f, p)
	if err != nil {
		return err
	}
	if o.Identity, err = s.frontIdentity(ctx, f, p.Front.Identity); err != nil {
		return err
	}
	if o.Shadow, err = s.shadow(f, p); err != nil {
		return err
	}
	all.old = s.oldServer(p, o)
	all.Handler, err = dialects.NewBefore(p.Profile, s.engine.Service, func(api front.API) http.Handler {
		if all.old != nil {
			api = all.old.Gate(api)
		}
		all.front = front.New(api, o)
		return all.front
	}, s.dialectOptions(f)...)
	if err != nil {
		return err
	}
	if all.old != nil {
		s.olds[p.Profile.Name] = all.old
		all.Handler = adopting(all.old, all.Handler, all.front)
	}
	if o.Switch == nil {
		return nil
	}
	find := dialects.NewFinder(p.Profile)
	all.Handler = all.front.Switched(all.Handler, func(r *http.Request) (endpoint string, redirect bool) {
		found := find(r)
		return found.Endpoint, found.Redirect
	})
	return nil
}

// frontOptions returns the options of the front of a profile that has one.
func (s *server) frontOptions(f *config.Config, p config.BoundProfile) (front.Options, error) {
	o, err := f.FrontOptions(p)
	o.Own, o.Streams = s.listensAt, s.streams
	o.IdleConnections = max(1, min(front.DefaultIdleConnections, s.connections/idleShare))
	o.Connections = s.connections + pools*o.IdleConnections
	o.Old.Count = s.exchangeCounter(p.Profile.Name, cutover.Old)
	if o.New != nil {
		o.New.Count = s.exchangeCounter(p.Profile.Name, cutover.New)
	}
	if o.Switch != nil {
		count := s.metrics.SideCounter(p.Profile.Name, o.Switch.Endpoints, []string{string(cutover.Old), string(cutover.New)})
		o.Switch.State = s.switches.state.Load
		o.Switch.Count = func(endpoint string, side cutover.Side) { count(endpoint, string(side)) }
	}
	return o, err
}

// idleShare is the part of an address's connections that an application's pool may keep idle: up to four of these pools
// take files beside those of requests under way, of those that are set aside.
const (
	idleShare = 8
	pools     = 4
)

// exchangeCounter returns what counts the exchanges with the application of a side.
func (s *server) exchangeCounter(profile string, side cutover.Side) func(front.Result) {
	var results []string
	for _, r := range front.Results() {
		results = append(results, string(r))
	}
	count := s.metrics.ExchangeCounter(profile, string(side), results)
	away := new(atomic.Bool) // the last exchange found nobody
	return func(r front.Result) {
		count(string(r))
		if is := r == front.ResultUnreachable; is != away.Load() && (is || r == front.ResultOK) {
			away.Store(is)
			s.metrics.SetReachable(profile, string(side), !is)
		}
	}
}

// frontIdentity returns how an application is told whose token was checked; nil: it isn't.
func (s *server) frontIdentity(ctx context.Context, f *config.Config, settings *frontconfig.Identity) (*front.Identity, error) {
	if settings == nil {
		return nil, nil
	}
	keys, err := s.identityKeys(ctx, f.IdentityFile(settings), settings.At)
	if err != nil {
		return nil, err
	}
	return &front.Identity{Keys: keys, DropAuthorization: settings.DropAuthorization}, nil
}

// identityKeys reads keys that sign identities; at is where they are set. The start, and the
// reload that turns identities on, make a missing key beside the database. A running server
// makes no other: the applications have the first.
func (s *server) identityKeys(ctx context.Context, file keyring.IdentityFile, at string) (identity.Keys, error) {
	first := !s.identityFiles[file.Path()]
	if first {
		if err := file.RemoveUnfinished(ctx); err != nil {
			s.log.Warn("a file with a key that signs identities can't be removed: a start that was killed has left it", "error", err)
		}
	}
	keys, created, err := file.Load(ctx, first)
	if err != nil {
		return identity.Keys{}, fmt.Errorf("%s: %w", at, err)
	}
	s.identityFiles[file.Path()] = true
	if created {
		s.log.Info("made a key that signs identities: give it to the application", "file", file.Path())
	}
	return keys, nil
}

// retire closes connections of a handler that wait for requests, once another has replaced it.
func (all *served) retire() {
	if all == nil || all.front == nil {
		return
	}
	all.front.Retire()
	if all.old != nil {
		all.old.Retire()
	}
}

// listensAt reports whether an address of this machine is one of the server's.
func (s *server) listensAt(address netip.AddrPort) bool {
	for _, open := range s.servers {
		if tcp, ok := open.Listener.Addr().(*net.TCPAddr); ok && tcp.Port == int(address.Port()) {
			own := tcp.AddrPort().Addr().Unmap()
			if own.IsUnspecified() || own == address.Addr().Unmap() {
				return true
			}
		}
	}
	return false
}

// behind is an application behind a profile.
type behind struct {
	profile string
	side    cutover.Side
}

// unreachable returns why an application can't be reached, of those that can't. One that
// nobody is sent to is not asked for: it may be gone, or not be there yet.
func (s *server) unreachable(ctx context.Context) map[behind]error {
	var all sync.WaitGroup
	var mu sync.Mutex
	failed := make(map[behind]error)
	for _, a := range s.apis {
		f, name := a.handler.Load().front, a.bound.Load().Profile.Name
		for _, side := range []cutover.Side{cutover.Old, cutover.New} {
			if f == nil || !f.Needs(side) {
				continue
			}
			all.Go(func() {
				err := f.Probe(ctx, side)
				s.metrics.SetReachable(name, string(side), err == nil)
				if err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed[behind{name, side}] = err
				}
			})
		}
	}
	all.Wait()
	return failed
}

// warnUnreachable warns at the start of applications that can't be reached. They may start
// later.
func (s *server) warnUnreachable(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	failed := s.unreachable(ctx)
	for _, a := range s.apis {
		p := a.bound.Load()
		for side, application := range map[cutover.Side]*frontconfig.Application{cutover.Old: p.Front.Side(cutover.Old), cutover.New: p.Front.Side(cutover.New)} {
			if err := failed[behind{p.Profile.Name, side}]; err != nil {
				s.log.Warn("what this profile doesn't have is answered with an error until the application can be reached", "profile", p.Profile.Name, "setting", p.FrontAt, "side", string(side), "application", application.URL.String(), "error", err)
			}
		}
	}
}

// ready fails while the store or an application does not answer. The error is what the
// management listener tells.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := s.engine.Ready(ctx); err != nil {
		return errStore
	}
	if len(s.unreachable(ctx)) > 0 {
		return errApplication
	}
	return nil
}
