// Package server runs the process that serves old APIs: its start, reload and shutdown,
// the management listener and background tasks.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/clockwatch"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/mailer"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/metrics"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/version"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/adopt"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
)

// server is a running process.
type server struct {
	started  *config.Server                // settings at the start
	settings atomic.Pointer[config.Config] // current settings
	log      *slog.Logger
	metrics  *metrics.Metrics
	engine   *engine.Engine
	keys     *keyring.Reloader
	apis     []*api
	bodies   *httpserver.BodyBudget // shared by all APIs
	proxies  atomic.Pointer[httpserver.Proxies]
	servers  httpserver.Servers
	asked    asked
	callers  *callers.Counter // nil: the store can't keep who calls
	mail     *mailer.Sender   // nil: no mails are sent
	streams  *front.Streams   // tunnels, and answers without an end
	switches *switchboard
	shadows  *shadows
	console  string                  // its address, with the key in it; empty: there is none
	tls      *httpserver.Certificate // nil: none

	sharing       httpserver.Servers    // which divide the open files among themselves: all but that of the management
	connections   int                   // that each of these may have; of the start and of reloads
	identityFiles map[string]bool       // files of identity keys that were read; of the start and of reloads
	olds          map[string]*adopt.Old // old servers by profile, of the last handlers that were made; likewise
}

// api is a profile at an address. A reload replaces its handler.
type api struct {
	address string
	bound   atomic.Pointer[config.BoundProfile]
	handler atomic.Pointer[served]
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.Load().ServeHTTP(w, r) }

// newServer makes a server that starts with these settings.
func newServer(f *config.Server, log *slog.Logger) *server {
	s := &server{started: f, log: log, bodies: httpserver.NewBodyBudget(), streams: front.NewStreams(), switches: newSwitchboard(), shadows: newShadows(), keys: keyring.NewReloader(log, f.Engine.Store), identityFiles: make(map[string]bool), olds: make(map[string]*adopt.Old)}
	s.metrics = metrics.New(s.bodies.Bytes, httpserver.Rejections()...)
	s.metrics.RegisterStreams(func() float64 { return float64(s.streams.Open()) })
	s.settings.Store(&f.Config)
	return s
}

// Run serves the profiles, with resolved settings, until ctx ends, then lets requests in
// flight finish. It writes to out what is served, and to errOut its log. A signal of hangups,
// which Hangups has made before the settings were read, reloads them; SIGPIPE is ignored from
// now on. The error is what kept the server from starting, or made a listener fail.
func Run(ctx context.Context, f *config.Server, all []config.BoundProfile, hangups <-chan os.Signal, out, errOut io.Writer) (err error) {
	log, err := newLog(errOut, f.LogFormat.String())
	if err != nil {
		return err
	}
	// Before anything else: a SIGPIPE must not end a server whose log or output nobody reads
	// any more.
	signal.Ignore(syscall.SIGPIPE)
	// net/http's client logs what an application sends unasked, with its bytes, and has no
	// other log.
	stdlog.SetOutput(io.Discard)
	s := newServer(f, log)
	build := version.Get()
	s.metrics.RegisterBuild(build.Version, build.Commit, build.Go)
	if err := s.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.engine.Close()) }()
	defer func() { s.servers.Close() }()
	if err := s.listen(ctx, all); err != nil {
		return err
	}
	s.log.Info("authcompat has started", "version", build.Version, "commit", build.Commit, "go", build.Go)
	s.warnKeyless(all)
	s.warnMails(all)
	s.warnUnsafe(ctx)
	s.warnWeak(f)
	for _, u := range f.Unknown {
		if u.Flag != "" {
			s.log.Warn("this environment variable is ignored: its flag is given on the command line alone", "variable", u.Name, "flag", "--"+u.Flag)
			continue
		}
		if u.Gone != "" {
			s.log.Warn("this environment variable is ignored: "+u.Gone, "variable", u.Name)
			continue
		}
		s.log.Warn("there is no such setting, and this environment variable is ignored", "variable", u.Name, "did_you_mean", u.Near)
	}
	banner := newBanner(all, s.servers, &f.Config)
	banner.console = s.console
	if err := banner.write(out); err != nil {
		s.log.Warn("what is served where can't be written to standard output", "error", err)
	}
	working, cancel := context.WithCancel(ctx)
	// The listeners are open: clients that connect from now on are answered.
	s.notifyReady("")
	context.AfterFunc(ctx, s.notifyStopping)
	background := s.background(working, hangups)
	defer func() {
		cancel()
		background.Wait()
		s.writeCallers() // now that all requests are answered
		s.closeShadows()
	}()
	s.servers.OnStop(s.streams.End)
	defer runtime.KeepAlive(ballast())
	return s.servers.Serve(ctx, log)
}

// current returns the current settings.
func (s *server) current() *config.Config { return s.settings.Load() }

// open opens the store and makes the engine.
func (s *server) open(ctx context.Context) error {
	f := s.current()
	mapping, err := f.Engine.ReadMapping(ctx)
	if err != nil {
		return err
	}
	s.engine, err = engine.Open(ctx, engine.Options{
		DSN: f.Engine.Store, Mapping: mapping, Iterations: f.Engine.Iterations,
		Keys: func(ctx context.Context, a core.Admin) (sealing.Sealer, error) {
			return s.keys.Start(ctx, f.KeyFile, a)
		},
		RefreshKeys: func() (sealing.Sealer, error) { return s.refreshKeys(ctx, s.started.KeyFile) },
		Log:         s.log, Metrics: s.metrics,
		HashPool: &hashing.PoolOptions{
			Threads: f.HashConcurrency, Queue: f.HashQueue,
			Waited: s.metrics.ObserveHashWait,
		},
	})
	if err != nil {
		return err
	}
	if store := s.engine.Backend.Callers; store != nil {
		s.callers = callers.New(store, nil, s.log)
	}
	s.setLoginLimits(f)
	if err := s.openMail(); err != nil {
		return errors.Join(err, s.engine.Close())
	}
	return nil
}

// setLoginLimits applies the settings of login limits.
func (s *server) setLoginLimits(f *config.Config) {
	if s.engine.Backend.RateLimiter == nil || !bool(f.LoginLimits) {
		s.engine.SetLoginLimits(nil)
		return
	}
	s.engine.SetLoginLimits(&core.LoginLimits{
		Limiter: s.engine.Backend.RateLimiter, PerUser: core.Limit(f.UserLimit), PerAddress: core.Limit(f.AddressLimit), Registrations: core.Limit(f.RegistrationLimit),
		MailsPerUser: core.Limit(f.Mail.UserLimit), MailsPerRecipient: core.Limit(f.Mail.RecipientLimit), MailsPerAddress: core.Limit(f.Mail.AddressLimit),
	})
}

// listen opens the listeners.
func (s *server) listen(ctx context.Context, all []config.BoundProfile) error {
	f := s.current()
	if f.TLSCertFile != "" {
		var err error
		if s.tls, err = httpserver.LoadCertificate(ctx, f.TLSCertFile, f.TLSKeyFile); err != nil {
			return err
		}
	}
	trusted, err := httpserver.ParseProxies(f.TrustedProxies)
	if err != nil {
		return err
	}
	s.proxies.Store(&trusted)
	if err := s.declareSwitched(ctx, all); err != nil {
		return err
	}
	s.setSwitched(all)
	manage, files := s.divideFiles(f, all)
	each := s.connections
	if f.MaxConnections > each {
		s.log.Warn("--max-connections is more than the system's limit on open files leaves each address: raise the limit (ulimit -n, LimitNOFILE= of systemd)", "max_connections", f.MaxConnections, "in_effect", each, "open_files", files)
	}
	for _, p := range all {
		handler, err := s.handler(ctx, f, p, trusted)
		if err != nil {
			return err
		}
		a := &api{address: p.Address}
		a.bound.Store(&p)
		a.handler.Store(handler)
		s.apis = append(s.apis, a)
		if err := s.servers.Listen(p.Address, a, httpserver.ListenOptions{
			Log: s.log, MaxConnections: each, MaxHeaderBytes: f.MaxHeaderBytes, MaxHeaderFields: f.MaxHeaderFields,
			Certificate: s.tls, TLS: func() httpserver.TLSOptions { return a.bound.Load().TLS },
			Rejected: s.metrics.CountRejected, Headers: func() []profiles.Header { return a.bound.Load().Profile.Headers },
			Trusted: func(peer netip.Addr) bool { return s.proxies.Load().Trusted(peer) },
		}); err != nil {
			return fmt.Errorf("profile %s: %w", p.Profile.Name, err)
		}
	}
	if err := s.listenAsked(ctx, s.started, all, trusted, each); err != nil {
		return err
	}
	s.sharing = slices.Clone(s.servers)
	return s.listenManaged(ctx, f, manage)
}

// divideFiles sets how many connections each address may have, and returns how many that of the management, and the system's limit on open files.
func (s *server) divideFiles(f *config.Config, all []config.BoundProfile) (manage, files int) {
	listeners, fronts := len(all), 0
	if f.Ask != "" {
		listeners++
	}
	for _, p := range all {
		if p.Front != nil {
			fronts++
		}
	}
	s.connections, manage, files = httpserver.Connections(listeners, fronts, f.MaxConnections)
	return manage, files
}

// warnUnsafe warns of files that others may change or read, and of settings of the database by
// which acknowledged writes can be lost.
func (s *server) warnUnsafe(ctx context.Context) {
	s.warnFiles()
	s.warnClock(ctx)
	w := s.engine.Backend.Warner
	if w == nil {
		return
	}
	warnings, err := w.Warnings(ctx)
	if err != nil {
		s.log.Warn("the settings of the database could not be read", "error", err)
	}
	for _, text := range warnings {
		s.log.Warn(text)
	}
}

// warnClock warns of a database whose clock is apart from this machine's.
func (s *server) warnClock(ctx context.Context) {
	before := time.Now()
	there, err := s.engine.Now(ctx)
	if err != nil {
		s.log.Warn("the database's clock could not be read", "error", err)
		return
	}
	if apart := there.Sub(before).Round(time.Second); apart.Abs() > clockwatch.MaxDrift {
		s.log.Warn("this machine's clock is not that of the database: tokens expire by this one, and other nodes may disagree; limits and the deletion of expired rows go by the database's", "database_ahead_by", apart)
	}
}

// warnKeyless warns of profiles that show tokens again if no location of keys is given. A
// store that keeps tokens in plaintext needs no keys.
func (s *server) warnKeyless(all []config.BoundProfile) {
	plaintext := s.engine.Backend.Plaintext
	if !s.keys.Unset() || plaintext != nil && plaintext.KeepsPlaintext() {
		return
	}
	for _, p := range all {
		if policy := dialects.Policy(p.Profile); policy.Reuse || policy.LegacyFormat == core.Authtoken {
			s.log.Warn("there is no sealing key, and this profile keeps the text of tokens to show it again: its logins and registrations fail; give a key with "+keyring.EnvVar+" or --secret-key-file", "profile", p.Profile.Name)
		}
	}
}
