package route

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/authcompat/authcompat/profiles"
)

// Found is who answers a request.
type Found struct {
	Endpoint string // name; empty: none has the path
	Redirect bool   // the answer is a redirect to the endpoint's path, with its slash
}

// NewFinder returns what finds who answers a request to a profile's API. A request whose method
// no endpoint of the path has counts as one to the first of them.
func NewFinder(p *profiles.Profile) func(*http.Request) Found {
	routes := newRoutes(p, func([]profiles.Endpoint) http.Handler { return nil })
	slash := &appendSlash{routes: routes}
	none := map[string]string{}
	return func(r *http.Request) Found {
		match := mux.RouteMatch{Vars: none}
		if routes.Match(r, &match) {
			return Found{Endpoint: name(match.Handler.(place).view, r.Method)}
		}
		if view := slash.target(r); view != nil {
			return Found{name(view, r.Method), true}
		}
		return Found{}
	}
}

// name gives the name of the endpoint that answers a method, or of the first.
func name(view []profiles.Endpoint, method string) string {
	if e, ok := Endpoint(view, method); ok {
		return e.Name
	}
	return view[0].Name
}
