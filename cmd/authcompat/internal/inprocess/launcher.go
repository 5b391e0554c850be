// Package inprocess serves profiles inside this process, on stores that are thrown away: for conformance
// runs that need no running server, and for who wants to see an API.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// Launcher is a conformance.Launcher that starts servers in this process, each on an empty
// store and with a clock that exchanges move.
type Launcher struct {
	profiles map[string]*profiles.Profile
	stores   *store.Temps
	options  []dialects.Option

	// Around, if set, is put around the handler of each server.
	Around func(http.Handler) http.Handler

	mu     sync.Mutex
	closed bool
	open   sync.WaitGroup // servers
}

// errClosed is the error of a launcher that is closed.
var errClosed = errors.New("no more servers are started: the process ends")

// NewLauncher returns a Launcher of the profiles, which finds one by its name. Each server has a store from stores, which
// ends when the server is closed. options are what a deployment adds to profiles.
func NewLauncher(all []*profiles.Profile, stores *store.Temps, options ...dialects.Option) *Launcher {
	l := &Launcher{profiles: make(map[string]*profiles.Profile), stores: stores, options: options}
	for _, p := range all {
		l.profiles[p.Name] = p
	}
	return l
}

// Launch implements conformance.Launcher.
func (l *Launcher) Launch(ctx context.Context, profile string) (*conformance.Server, error) {
	p, ok := l.profiles[profile]
	if !ok {
		return nil, fmt.Errorf("profile %s is not loaded", profile)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed
	}
	server, err := Start(ctx, p, Options{Stores: l.stores, Dialect: l.options, Around: l.Around})
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	end := server.Close
	server.Close = func() error {
		defer l.open.Done()
		return end()
	}
	return server, nil
}

// Close waits until all servers are closed, and lets none be started any more: their data is gone then. Runs that use the
// launcher have to be ended before.
func (l *Launcher) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.open.Wait()
}
