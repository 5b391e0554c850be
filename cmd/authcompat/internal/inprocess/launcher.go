// Package inprocess serves profiles inside this process, for conformance runs that need
// no running server.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// Launcher is a conformance.Launcher that starts servers in this process, each on a fresh
// part of the database and with a clock that exchanges move.
type Launcher struct {
	profiles map[string]*profiles.Profile
	dsn      string // empty: temporary SQLite files
	options  []dialects.Option

	// Around, if set, is put around the handler of each server.
	Around func(http.Handler) http.Handler
}

// NewLauncher returns a Launcher of the profiles, which finds one by its name. dsn is the
// database that parts are made in, and dropped again when their server is closed;
// empty: temporary SQLite files. options are what a deployment adds to profiles.
func NewLauncher(all []*profiles.Profile, dsn string, options ...dialects.Option) *Launcher {
	l := &Launcher{profiles: make(map[string]*profiles.Profile), dsn: dsn, options: options}
	for _, p := range all {
		l.profiles[p.Name] = p
	}
	return l
}

// cheapIterations keeps the many logins of a run short.
const cheapIterations = 1

// Launch implements conformance.Launcher.
func (l *Launcher) Launch(ctx context.Context, profile string) (*conformance.Server, error) {
	p, ok := l.profiles[profile]
	if !ok {
		return nil, fmt.Errorf("profile %s is not loaded", profile)
	}
	scratch, cleanup, err := store.OpenTemp(ctx, l.dsn)
	if err != nil {
		return nil, err
	}
	hasher, err := hashing.NewDjangoHasher(cheapIterations)
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize)) // nothing here outlives the exchange
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	state := &processState{now: time.Now()}
	backend := scratch.Backend
	backend.Auditor = nil // nobody reads the audit log of a server that ends with its exchanges
	state.service = core.New(core.Config{Backend: backend, Hasher: hasher, Sealer: sealer, Clock: state.Now, Log: slog.New(slog.DiscardHandler)})
	state.policy, state.store = dialects.Policy(p), backend.Store
	state.links, state.addresses = linksOf(p), backend.Addresses
	state.service.OnMail(func() {}) // nobody sends what is asked for: exchanges make their links themselves
	handler, err := dialects.New(p, state.service, append(slices.Clone(l.options), dialects.WithLinks(state.links))...)
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	if l.Around != nil {
		handler = l.Around(handler)
	}
	var sites httpserver.Servers
	if err := sites.Listen("127.0.0.1:0", handler, httpserver.ListenOptions{Log: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, errors.Join(err, cleanup())
	}
	done := make(chan error, 1)
	go func() { done <- sites[0].HTTP.Serve(sites[0].Listener) }()
	return &conformance.Server{URL: "http://" + sites[0].Listener.Addr().String(), Isolated: true, State: state, Close: func() error {
		err := sites[0].HTTP.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return errors.Join(err, cleanup())
	}}, nil
}

// processState reaches behind the HTTP of a server in this process.
type processState struct {
	service *core.Service
	store   core.Store
	policy  core.Policy
	links   *maillink.Generator

	addresses core.AddressStore
	mu        sync.Mutex
	now       time.Time
}

// CreateUser implements conformance.State.
func (s *processState) CreateUser(ctx context.Context, u conformance.User) error {
	_, err := s.service.CreateUser(ctx, s.policy, core.Registration{
		Username: u.Username, Email: u.Email, Password: u.Password, Inactive: u.Inactive, Attributes: u.Attributes,
	})
	return err
}

// linksOf returns what makes and checks the links of a profile, with a key for nothing that is worth one.
func linksOf(p *profiles.Profile) *maillink.Generator {
	return &maillink.Generator{Secrets: []string{"of servers in this process"}, AllEmails: p.Mails.Links == profiles.LinksAllauth}
}

// Link implements conformance.State.
func (s *processState) Link(ctx context.Context, username string) (uid, token string, err error) {
	a, err := s.store.Account(ctx, username)
	if err != nil {
		return "", "", fmt.Errorf("find user: %w", err)
	}
	format := maillink.Base64
	if s.links.AllEmails {
		format = maillink.Base36
	}
	user := a.LinkUser()
	if user.Emails, err = core.EmailsOf(ctx, s.addresses, a.ID); err != nil {
		return "", "", fmt.Errorf("find addresses: %w", err)
	}
	return maillink.EncodeUID(format, a.ID), s.links.Make(user, s.Now()), nil
}

// EmailKey implements conformance.State.
func (s *processState) EmailKey(ctx context.Context, username string) (key string, err error) {
	a, err := s.store.Account(ctx, username)
	if err != nil {
		return "", fmt.Errorf("find user: %w", err)
	}
	address, err := s.addresses.AddAddress(ctx, a.ID, a.Email)
	if err != nil {
		return "", fmt.Errorf("find address: %w", err)
	}
	return s.links.MakeEmailKey(address.ID, s.Now()), nil
}

// Now implements conformance.State. Time goes on by itself only a little, so
// that two logins never happen at one instant.
func (s *processState) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(time.Microsecond)
	return s.now
}

// Advance implements conformance.State.
func (s *processState) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}
