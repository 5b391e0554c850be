// Package inprocess serves profiles inside this process, on stores that are thrown away: for conformance
// runs that need no running server, and for who wants to see an API.
package inprocess

import (
	"context"
	"fmt"
	"net/http"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
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

// Launch implements conformance.Launcher.
func (l *Launcher) Launch(ctx context.Context, profile string) (*conformance.Server, error) {
	p, ok := l.profiles[profile]
	if !ok {
		return nil, fmt.Errorf("profile %s is not loaded", profile)
	}
	return Start(ctx, p, Options{DSN: l.dsn, Dialect: l.options, Around: l.Around})
}
