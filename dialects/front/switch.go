package front

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// Switch sends some requests to the old side and others to the new one, by the state of a
// cutover. An application answers the paths of its side; on the new side, the API answers its
// own endpoints.
type Switch struct {
	// Endpoints are what is switched: names of endpoints of the API, paths of rules and, for
	// all else that goes on, cutover.Other. The others stay as without a switch.
	Endpoints []string
	// State returns the state in effect; it must return quickly.
	State func() *cutover.State
	// Count is told of the side of each request to one of Endpoints; nil: nobody is.
	Count func(endpoint string, side cutover.Side)
}

// switches reports whether an endpoint is switched.
func (s *Switch) switches(endpoint string) bool {
	return s != nil && slices.Contains(s.Endpoints, endpoint)
}

// decide returns the side that answers a request to an endpoint. user is called if it takes
// the name of the user to tell.
func (s *Switch) decide(r *http.Request, endpoint string, user func() string) cutover.Side {
	state := s.State()
	rule := state.Rule(endpoint)
	side, settled := rule.Settled()
	switch {
	case settled:
	case rule.Selects(r.Header):
		side = cutover.New
	case rule.Share > 0 || len(rule.Users) > 0:
		side = state.Side(rule, user())
	}
	if s.Count != nil {
		s.Count(endpoint, side)
	}
	return side
}

// record records the side of a request, for logs and metrics.
func record(w http.ResponseWriter, endpoint string, side cutover.Side) {
	if o, ok := w.(wire.SideRecorder); ok {
		o.RecordSide(endpoint, string(side))
	}
}

// sideOfPath returns the side of a request that goes on to an application.
func (f *Front) sideOfPath(w http.ResponseWriter, r *http.Request, d Decision, session *core.Session) cutover.Side {
	endpoint := cmp.Or(d.Rule, cutover.Other)
	if !f.Switch.switches(endpoint) {
		return cutover.Old
	}
	side := f.Switch.decide(r, endpoint, func() string {
		switch {
		case session != nil:
			return session.User.Username
		case d.Token == Pass:
			return f.api.User(r, "")
		}
		return "" // it has no token
	})
	record(w, "", side)
	return side
}

// Switched returns the handler of an API of which endpoints are switched. next answers as the
// API does, with the front behind it; find returns the endpoint that a request is for, or
// that it would be redirected to. Requests for the old side go on to the application whatever
// their token is: it is the application that has the endpoint.
func (f *Front) Switched(next http.Handler, find func(*http.Request) (endpoint string, redirect bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		endpoint, redirect := find(r)
		if endpoint == "" || !f.Switch.switches(endpoint) || isForeign(r) {
			next.ServeHTTP(w, r)
			return
		}
		about := endpoint
		if redirect {
			about = "" // nothing is done with the body
		}
		kept := wire.Keep(r.Body)
		side := f.Switch.decide(r, endpoint, func() string {
			reread := r.WithContext(r.Context())
			reread.Body = kept
			return f.api.User(reread, about)
		})
		if kept.Touched() {
			r = r.WithContext(r.Context()) // net/http looks at the body of the original
			r.Body = kept
		}
		record(w, endpoint, side)
		if side == cutover.New {
			next.ServeHTTP(w, r)
			return
		}
		f.watch(w, r, endpoint)
	})
}

// Needs reports whether the application of a side may get requests, in the state in effect.
func (f *Front) Needs(side cutover.Side) bool {
	if f.Switch == nil {
		return side == cutover.Old
	}
	state := f.Switch.State()
	sent := func(endpoint string) bool {
		settled, ok := state.Rule(endpoint).Settled()
		return !ok || settled == side
	}
	if side == cutover.New {
		return slices.ContainsFunc(f.Switch.Endpoints, func(endpoint string) bool { return f.isPath(endpoint) && sent(endpoint) })
	}
	return slices.ContainsFunc(f.Switch.Endpoints, sent) || slices.ContainsFunc(f.paths(), func(path string) bool { return !f.Switch.switches(path) })
}

// paths returns the endpoints that are an application's.
func (f *Front) paths() []string {
	paths := []string{cutover.Other}
	for _, r := range f.Rules.list {
		if r.Token != Refuse {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

// isPath reports whether an endpoint is an application's.
func (f *Front) isPath(endpoint string) bool { return slices.Contains(f.paths(), endpoint) }
