//go:build !no_ui

package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/conformance"
)

// withConsole adds the operator's console to a management listener at an address, and notes where it is.
func (s *server) withConsole(ctx context.Context, next http.Handler, f *config.Config, at net.Addr) (http.Handler, error) {
	targets, err := s.targets()
	if err != nil {
		return nil, err
	}
	key := guard.NewKey()
	handler, err := console.New(ctx, console.Options{
		Key: key, Hosts: guard.Hosts(at, f.Console.Hosts), Targets: targets, Mode: "serve",
		Operate: &operate.Options{Engine: s.engine, Metrics: s.metrics.Gatherer(), Write: bool(f.Console.Write), Journals: s.shadows.paths, Log: s.log},
	})
	if err != nil {
		return nil, err
	}
	s.console = guard.URL(reachable(at), key)
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.Handle(strings.TrimSuffix(page.Root, "/"), handler)
	mux.Handle(page.Root, handler)
	return mux, nil
}

// targets returns the APIs of this process as they are at its start. They are no targets of the console's
// own: what is sent to them is really done.
func (s *server) targets() (all []target.Target, err error) {
	for i, a := range s.apis {
		p := a.bound.Load().Profile
		t := target.Target{Name: p.Name, URL: "http://" + reachable(s.servers[i].Listener.Addr()), Profile: p}
		if s.tls != nil {
			t.URL = "https://" + reachable(s.servers[i].Listener.Addr())
			t.TLS = s.tls.OfItself()
		}
		t.Exchanges, err = conformance.Builtin(p.Name)
		if err != nil && !errors.Is(err, conformance.ErrNoExchanges) {
			return nil, fmt.Errorf("profile %s: %w", p.Name, err)
		}
		all = append(all, t)
	}
	return all, nil
}
