package plainjson

import (
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// Gate answers for the API where an application is behind it. It is an API of package front.
type Gate struct {
	view  *view
	named map[string]*view // endpoints whose requests name a user
}

// Gate makes the gate of the API.
func (a *API) Gate() *Gate {
	g := &Gate{&view{API: a}, make(map[string]*view)}
	for _, e := range a.profile.Endpoints {
		if e.Action == profiles.Login || e.Action == profiles.Register {
			g.named[e.Name] = &view{API: a, endpoint: e}
		}
	}
	return g
}

// Authenticate returns the session of the request's token, nil if it has none and needs
// none. Otherwise it refuses the request, and ok is false.
func (g *Gate) Authenticate(w http.ResponseWriter, r *http.Request, needed bool) (session *core.Session, ok bool) {
	if header, _ := wire.Header(r, "Authorization"); !needed {
		if parsed, _ := token.Parse(header, g.view.profile.Scheme); parsed == token.Absent {
			return nil, true
		}
	}
	found, refusal := g.view.authenticate(r)
	if refusal != nil {
		refusal.Write(w)
		return nil, false
	}
	return &found, true
}

// Ended reports whether the request's token is known to be no good any more.
func (g *Gate) Ended(r *http.Request) bool {
	header, _ := wire.Header(r, "Authorization")
	return token.Ended(r.Context(), g.view.engine, g.view.profile, header)
}

// User returns the name of the user whom a request to an endpoint is about: whom a login or a
// registration names, or else the owner of its token. It is empty if that is not known. The
// body is read with wire.Body.
func (g *Gate) User(r *http.Request, endpoint string) string {
	if v := g.named[endpoint]; v != nil && v.endpoint.Takes(strings.ToUpper(r.Method)) {
		return token.Named(r.Context(), v.engine, v.endpoint, v.policy, v.username(r))
	}
	header, _ := wire.Header(r, "Authorization")
	return token.Owner(r.Context(), g.view.engine, g.view.profile, header)
}

// Unavailable answers with 502, 503 or 504.
func (g *Gate) Unavailable(w http.ResponseWriter, status int, err error) {
	out := g.view.errorReply(status, token.Outcome(status, err), "unavailable")
	out.Err = err
	if status == http.StatusServiceUnavailable {
		out.Headers = with(out.Headers, reply.RetryAfter(err))
	}
	out.Write(w)
}

// TooLarge answers with 413.
func (g *Gate) TooLarge(w http.ResponseWriter) {
	g.view.errorReply(http.StatusRequestEntityTooLarge, "too_large", "too_large").Write(w)
}

// Malformed answers with 400.
func (g *Gate) Malformed(w http.ResponseWriter) {
	g.view.badRequest("malformed", "malformed").Write(w)
}

// Unknown answers as the API does without an application.
func (g *Gate) Unknown(w http.ResponseWriter, r *http.Request) { g.view.other(w, r) }
