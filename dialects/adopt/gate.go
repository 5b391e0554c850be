package adopt

import (
	"context"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/profiles"
)

// Gate returns the gate of an API to which tokens of the old server are good as well.
func (o *Old) Gate(api front.API) front.API { return &gate{api, o} }

type gate struct {
	front.API
	old *Old
}

// Authenticate implements front.API.
func (g *gate) Authenticate(w http.ResponseWriter, r *http.Request, needed bool) (*core.Session, bool) {
	if text, unknown := g.unknown(r); unknown {
		session, err := g.old.session(r, text)
		if err != nil {
			g.Unavailable(w, http.StatusServiceUnavailable, err)
			return nil, false
		}
		if session != nil {
			return session, true
		}
	}
	return g.API.Authenticate(w, r, needed)
}

// User implements front.API.
func (g *gate) User(r *http.Request, endpoint string) string {
	if text, unknown := g.unknown(r); unknown && endpoint == "" {
		if session, err := g.old.session(r, text); err == nil && session != nil {
			return session.User.Username
		}
	}
	return g.API.User(r, endpoint)
}

// Ended implements front.API. While the old server doesn't answer, nothing is known.
func (g *gate) Ended(r *http.Request) bool {
	if text, unknown := g.unknown(r); unknown {
		session, err := g.old.session(r, text)
		return session == nil && err == nil
	}
	return g.API.Ended(r)
}

func (g *gate) unknown(r *http.Request) (text string, unknown bool) {
	if !g.old.Active() || g.old.probe == nil {
		return "", false
	}
	return g.old.unknown(r)
}

// Before returns the handler of an API whose users are adopted. api is the whole API, and
// pass what passes a request on to the old server's application. Registrations are passed on
// also after Until: the names of those who were not adopted are still theirs there.
func (o *Old) Before(api, pass http.Handler) http.Handler {
	adopting := route.ByMethod(o.Profile, func(e profiles.Endpoint) http.Handler {
		switch e.Action {
		case profiles.Register:
			return pass // or a name could be registered here that is somebody's there
		case profiles.Login:
			return o.loginHandler(e, api)
		}
		return o.tokenHandler(e, api, pass)
	}, api)
	// Whoever has not been adopted until then still has a name there, and what is theirs at the
	// application: only an operator gives the names away.
	over := route.ByMethod(o.Profile, func(e profiles.Endpoint) http.Handler {
		if e.Action == profiles.Register {
			return pass
		}
		return api
	}, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Active() {
			adopting.ServeHTTP(w, r)
			return
		}
		over.ServeHTTP(w, r)
	})
}

// loginHandler lets the old server be asked about logins ([Login]). A good token of the old
// server does not stand in the way of a login that checks tokens.
func (o *Old) loginHandler(e profiles.Endpoint, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), requestKey{}, login{o, r})
		in := r.WithContext(ctx)
		if e.Authenticates() && o.probe != nil {
			if text, unknown := o.unknown(r); unknown {
				// Nor does one of which nobody knows now: the password decides.
				if v, err := o.check(r, text); err != nil || v.good {
					in.Header = r.Header.Clone()
					delete(in.Header, "Authorization")
				}
			}
		}
		api.ServeHTTP(w, in)
	})
}

// tokenHandler passes requests on whose token is unknown here.
func (o *Old) tokenHandler(e profiles.Endpoint, api, pass http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, unknown := o.unknown(r)
		if !unknown {
			api.ServeHTTP(w, r)
			return
		}
		if e.Action == profiles.Logout || e.Action == profiles.LogoutAll {
			defer o.tokens.forget(o.digest(text), e.Action == profiles.LogoutAll)
		}
		pass.ServeHTTP(w, r)
	})
}
