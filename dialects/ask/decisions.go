package ask

import (
	"errors"
	"net/http"

	"github.com/authcompat/authcompat/dialects/internal/wire"
)

// requestAuth answers the subrequest of nginx (ngx_http_auth_request_module). Any 2xx lets the
// request through. Of a 401 nginx takes the status and WWW-Authenticate, and drops the rest:
// its error_page fetches that from denied. Any other status is an error to it, 500.
type requestAuth struct{ *API }

// ServeHTTP implements http.Handler.
func (a requestAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.decide(w, r, http.StatusNoContent)
}

// forwardAuth answers Traefik (ForwardAuth), Caddy (forward_auth) and the Lua action for
// HAProxy. Any 2xx lets the request through; every other reply is passed on to the client as it
// is. What they say of the original request (X-Forwarded-Method, X-Forwarded-Uri) is ignored.
type forwardAuth struct{ *API }

// ServeHTTP implements http.Handler.
func (a forwardAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.decide(w, r, http.StatusOK)
}

// extAuthz answers Envoy (envoy.filters.http.ext_authz, http_service), which asks with the
// method and the path of the original request, and without its body. 200 alone lets it
// through; 5xx makes Envoy answer with its status_on_error; every other reply is passed on.
type extAuthz struct{ *API }

// ServeHTTP implements http.Handler.
func (a extAuthz) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.decide(w, r, http.StatusOK)
}

// decide answers with a status if the token is good, and otherwise with the API's refusal.
func (a *API) decide(w http.ResponseWriter, r *http.Request, good int) {
	session, ok := a.Gate.Authenticate(w, r, true)
	if !ok {
		return
	}
	a.Identify(w.Header(), session)
	out := wire.Reply{Status: good, Outcome: "ok"}
	out.Write(w)
}

// denied answers with the refusal of a request that a proxy has denied, and never with 2xx.
// With the query status=400 that is one which the proxy takes for malformed: nginx does so
// with two Authorization headers, to which an API has an answer of its own.
type denied struct{ *API }

// errNothingDenied is the cause of a 503 where the token is good. It became so meanwhile, or
// the proxy failed for a reason of its own.
var errNothingDenied = errors.New("a proxy asks for the refusal of a token that is good")

// ServeHTTP implements http.Handler.
func (a denied) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, good := a.Gate.Authenticate(w, r, true)
	switch {
	case good && r.URL.RawQuery == "status=400":
		a.Gate.Malformed(w)
	case good:
		a.Gate.Unavailable(w, http.StatusServiceUnavailable, errNothingDenied)
	}
}
