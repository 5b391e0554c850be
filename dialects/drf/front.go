package drf

import (
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// Gate answers for the API where an application is behind it, as a view for users with a
// token would, in JSON: what the application would have negotiated is not known here. It is
// an API of package front.
type Gate struct {
	view  *view
	other http.Handler
	named map[string]*view // endpoints whose requests name a user
}

// Gate makes the gate of the API.
func (a *API) Gate() *Gate {
	v := a.view(profiles.Endpoint{Authentication: a.profile.Authentication, Renderers: []profiles.Renderer{profiles.RenderJSON}}, otherAction{})
	g := &Gate{v, a.Other(), make(map[string]*view)}
	for _, e := range a.profile.Endpoints {
		if (e.Action == profiles.Login || e.Action == profiles.Register) && len(e.Fields) > 0 {
			g.named[e.Name] = a.view(e, nil)
		}
	}
	return g
}

func (g *Gate) refuse(w http.ResponseWriter, refusal result) {
	out := g.render(refusal)
	out.Write(w)
}

func (g *Gate) render(refusal result) wire.Reply {
	return g.view.render(refusal, accepted{profiles.RenderJSON, rendererType(profiles.RenderJSON)})
}

// Authenticate returns the session of the request's token, nil if it has none and needs
// none. Otherwise it refuses the request, and ok is false.
func (g *Gate) Authenticate(w http.ResponseWriter, r *http.Request, needed bool) (session *core.Session, ok bool) {
	mem := &scratch{}
	session, refusal := g.view.authenticate(&call{w: w, request: r, served: true, scratch: mem}, nil)
	if refusal == nil && session == nil && needed {
		refusal = g.view.unauthorized("token_missing", g.view.message("token_missing"))
	}
	if refusal != nil {
		out := g.render(*refusal)
		if mem.cookie {
			g.view.varyByCookie(&out)
		}
		out.Write(w)
		return nil, false
	}
	return session, true
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
		name, policy := v.username(r)
		return token.Named(r.Context(), v.engine, v.endpoint, policy, name)
	}
	header, _ := wire.Header(r, "Authorization")
	return token.Owner(r.Context(), g.view.engine, g.view.profile, header)
}

// Unavailable answers with 502, 503 or 504.
func (g *Gate) Unavailable(w http.ResponseWriter, status int, err error) {
	refusal := g.view.detail(status, token.Outcome(status, err), g.view.message("unavailable"))
	refusal.err = err
	if status == http.StatusServiceUnavailable {
		refusal.headers = []profiles.Header{reply.RetryAfter(err)}
	}
	g.refuse(w, *refusal)
}

// TooLarge answers with 413.
func (g *Gate) TooLarge(w http.ResponseWriter) {
	g.refuse(w, *g.view.detail(http.StatusRequestEntityTooLarge, "too_large", g.view.message("too_large")))
}

// Malformed answers with 400, as Django does to what it takes for an attack.
func (g *Gate) Malformed(w http.ResponseWriter) { g.refuse(w, *g.view.suspicious()) }

// Unknown answers as the API does without an application.
func (g *Gate) Unknown(w http.ResponseWriter, r *http.Request) { g.other.ServeHTTP(w, r) }
