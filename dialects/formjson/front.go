package formjson

import (
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/dialects/drf"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/profiles"
)

// Gate answers for the API where an application is behind it: it is the framework's, since no
// form takes a token, except that forms name users. It is an API of package front.
type Gate struct {
	*drf.Gate
	named map[string]*view // endpoints whose requests name a user
}

// Gate makes the gate of the API.
func (a *API) Gate() *Gate {
	g := &Gate{a.framework.Gate(), make(map[string]*view)}
	for _, e := range a.profile.Endpoints {
		if e.Action == profiles.Login || e.Action == profiles.Register {
			g.named[e.Name] = &view{API: a, endpoint: e}
		}
	}
	return g
}

// User returns the name of the user whom a request to an endpoint is about: whom a login or a
// registration names, or else the owner of its token. It is empty if that is not known. The
// body is read with wire.Body.
func (g *Gate) User(r *http.Request, endpoint string) string {
	v := g.named[endpoint]
	if v == nil || !v.endpoint.Takes(strings.ToUpper(r.Method)) {
		return g.Gate.User(r, "")
	}
	return token.Named(r.Context(), v.engine, v.endpoint, v.policy, v.username(r))
}

// username gives the username in a request's body as the engine would get it; empty: none.
func (v *view) username(r *http.Request) string {
	form, err := v.post(nil, r)
	if err != nil {
		return ""
	}
	f, _ := v.endpoint.Field(profiles.RoleUsername)
	if raw, sent := form.Field(f); sent {
		return v.toPython(f, raw)
	}
	return ""
}
