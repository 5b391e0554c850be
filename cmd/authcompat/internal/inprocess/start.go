package inprocess

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// Options say how a server in this process is started.
type Options struct {
	// Stores gives the server its store; nil: one in a temporary SQLite file.
	Stores *store.Temps
	// Dialect is what a deployment adds to profiles.
	Dialect []dialects.Option
	// Around, if set, is put around the handler.
	Around func(http.Handler) http.Handler
	// Clock is that of the server; nil: one of its own that stands still.
	Clock *Clock
	// Address is where it listens, HOST:PORT; empty: at a free port of 127.0.0.1.
	Address string
}

// cheapIterations keeps the many logins of a run short. Nothing that is hashed here is worth a guess.
const cheapIterations = 1

// Start serves a profile in this process, on an empty store that is gone when the server is closed.
func Start(ctx context.Context, p *profiles.Profile, o Options) (*conformance.Server, error) {
	open := func(ctx context.Context) (store.Backend, func() error, error) { return store.OpenTemp(ctx, "") }
	if o.Stores != nil {
		open = o.Stores.Open
	}
	scratch, cleanup, err := open(ctx)
	if err != nil {
		return nil, err
	}
	hasher, err := hashing.NewDjangoHasher(cheapIterations)
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize)) // nothing here outlives the server
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	state := &processState{Clock: o.Clock}
	if state.Clock == nil {
		state.Clock = newStill()
	}
	backend := scratch.Backend
	backend.Auditor = nil // nobody reads the audit log of a server that ends with its exchanges
	state.service = core.New(core.Config{Backend: backend, Hasher: hasher, Sealer: sealer, Clock: state.Now, Log: slog.New(slog.DiscardHandler)})
	state.policy, state.store = dialects.Policy(p), backend.Store
	state.links, state.addresses = linksOf(p), backend.Addresses
	state.service.OnMail(func() {}) // nobody sends what is asked for: exchanges make their links themselves
	handler, err := dialects.New(p, state.service, append(slices.Clone(o.Dialect), dialects.WithLinks(state.links))...)
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	if o.Around != nil {
		handler = o.Around(handler)
	}
	address := o.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	var sites httpserver.Servers
	if err := sites.Listen(address, handler, httpserver.ListenOptions{Log: slog.New(slog.DiscardHandler)}); err != nil {
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
