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

// named is the handler of an endpoint that is only looked for.
type named string

// ServeHTTP implements http.Handler.
func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}

// NewFinder returns what finds who answers a request to a profile's API.
func NewFinder(p *profiles.Profile) func(*http.Request) Found {
	routes := newRoutes(p, func(e profiles.Endpoint) http.Handler { return named(e.Name) })
	slash := &appendSlash{routes: routes}
	none := map[string]string{}
	return func(r *http.Request) Found {
		match := mux.RouteMatch{Vars: none}
		if routes.Match(r, &match) {
			return Found{Endpoint: string(match.Handler.(named))}
		}
		if p.TrailingSlash == profiles.SlashRedirect {
			if h := slash.target(r); h != nil {
				return Found{string(h.(named)), true}
			}
		}
		return Found{}
	}
}
