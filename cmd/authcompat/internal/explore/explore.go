// Package explore serves APIs to be seen and tried: each on a store that is thrown away, with example users
// and a clock that can be moved, and a console for all of them.
package explore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/httpserver"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

// An API is a profile that is served here.
type API struct {
	Profile   *profiles.Profile
	Exchanges *conformance.File // nil: there are none
}

// Options are what is explored.
type Options struct {
	APIs []API
	// Targets are servers elsewhere that speak these APIs, by the profile's name: their URLs.
	Targets conformance.Target
	Dialect []dialects.Option // what a deployment adds to profiles
	Listen  string            // address of the console, HOST:PORT of this machine itself (CheckListen)
	Hosts   []string          // names of the console besides those of this machine
}

// maxUsers is how many example users an API has at most.
const maxUsers = 3

// CheckListen fails unless an address is one of this machine itself. There is a key before the console,
// but no TLS.
func CheckListen(address string) error {
	const example = "127.0.0.1:8080"
	if err := flagvalue.CheckAddress(address, example); err != nil {
		return err
	}
	if flagvalue.OnLoopback(address) {
		return nil
	}
	return fmt.Errorf("%s is not of this machine alone, and there is no TLS here: want a loopback address such as %s (ssh -L brings it to another machine)", address, example)
}

// Run serves the APIs and the console until ctx ends, and then throws their data away. It writes to out
// where they are, with the console's key. The error is what kept it from starting, or made it fail.
func Run(ctx context.Context, o Options, out io.Writer) (err error) {
	clock := inprocess.NewClock()
	ctx, end := context.WithCancel(ctx)
	all, closeAll, err := serve(ctx, o, clock)
	defer func() {
		end() // and with it runs of the suite, whose servers are waited for
		err = errors.Join(err, closeAll())
	}()
	if err != nil {
		return err
	}
	all = append(all, elsewhere(o)...)
	log := slog.New(slog.DiscardHandler)
	var servers httpserver.Servers
	defer func() { servers.Close() }()
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	key := guard.NewKey()
	handler, err := console.New(ctx, console.Options{
		Key: key, Hosts: guard.Hosts(listener.Addr(), o.Hosts), Targets: all, Clock: clock,
		Mode: "explore: all data here is thrown away",
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	servers.Take(listener, handler, httpserver.ListenOptions{Log: log, NetContext: true})
	if _, err := io.WriteString(out, banner(guard.URL(listener.Addr().String(), key), all)); err != nil {
		return fmt.Errorf("say where the console is: %w", err)
	}
	return servers.Serve(ctx, log)
}

// serve starts a server for each API. What was started is closed by closeAll, also after an error.
func serve(ctx context.Context, o Options, clock *inprocess.Clock) (all []target.Target, closeAll func() error, err error) {
	var closers []func() error
	closeAll = func() error {
		var errs []error
		for _, end := range closers {
			errs = append(errs, end())
		}
		return errors.Join(errs...)
	}
	stores := store.NewTemps("")
	for _, api := range o.APIs {
		server, err := inprocess.Start(ctx, api.Profile, inprocess.Options{Stores: stores, Clock: clock, Dialect: o.Dialect})
		if err != nil {
			return nil, closeAll, fmt.Errorf("profile %s: %w", api.Profile.Name, err)
		}
		launcher := inprocess.NewLauncher([]*profiles.Profile{api.Profile}, stores, o.Dialect...)
		closers = append(closers, server.Close, func() error {
			launcher.Close()
			return nil
		})
		t := target.Target{
			Name: api.Profile.Name, URL: server.URL, Profile: api.Profile, Exchanges: api.Exchanges,
			Own: true, Launcher: launcher, State: server.State, Users: users(api),
		}
		for _, u := range t.Users {
			if err := server.State.CreateUser(ctx, u); err != nil {
				return nil, closeAll, fmt.Errorf("profile %s: make the example user %s: %w", api.Profile.Name, u.Username, err)
			}
		}
		all = append(all, t)
	}
	return all, closeAll, nil
}

// users returns the example users of an API: those of its document, or one.
func users(api API) []conformance.User {
	if api.Exchanges != nil {
		if some := api.Exchanges.ExampleUsers(maxUsers); len(some) > 0 {
			return some
		}
	}
	return []conformance.User{{Username: "alice", Password: "correct horse battery", Email: "alice@example.com"}}
}

// elsewhere returns the servers that are not of this process.
func elsewhere(o Options) (all []target.Target) {
	for _, api := range o.APIs {
		address, ok := o.Targets[api.Profile.Name]
		if !ok {
			continue
		}
		name := api.Profile.Name
		if u, err := url.Parse(address); err == nil {
			name += "@" + u.Host // the name alone is that of the server here
		}
		all = append(all, target.Target{Name: name, URL: address, Profile: api.Profile, Exchanges: api.Exchanges})
	}
	return all
}

// banner is what is printed: the line of the console, and one for each server.
func banner(address string, all []target.Target) string {
	var b strings.Builder
	fmt.Fprintf(&b, "console: %s\n", address)
	for _, t := range all {
		if !t.Own {
			fmt.Fprintf(&b, "target %s at %s: what is sent there is really done there\n", t.Name, t.URL)
			continue
		}
		names := make([]string, 0, len(t.Users))
		for _, u := range t.Users {
			names = append(names, u.Username)
		}
		fmt.Fprintf(&b, "profile %s at %s, with the example users %s\n", t.Name, t.URL, strings.Join(names, ", "))
	}
	b.WriteString("Ctrl-C ends all of it, and their data is gone\n")
	return b.String()
}
