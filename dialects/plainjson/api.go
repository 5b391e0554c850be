// Package plainjson answers as plain Django views do that read raw JSON and write
// with json.dumps, every failure as one sentence in the profile's shape.
//
//	routes   one view per endpoint; other paths answer 404 in the same shape
//	order    preflight (OPTIONS), method (405), then the action, which reads the
//	         body as JSON whatever its Content-Type, or the token
//
// Such views share no framework, and so no texts: all sentences are the profile's.
package plainjson

import (
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// API is one profile's views.
type API struct {
	profile   *profiles.Profile
	engine    *core.Service
	policy    core.Policy
	passwords *newpassword.Checker
	emails    *django.Emails
	style     pyjson.Style
	errors    *reply.Body // the shape of a failure
	failures  map[core.Kind]failure
}

// New makes the API of a profile.
func New(p *profiles.Profile, engine *core.Service, passwords *newpassword.Checker) *API {
	a := &API{
		profile: p, engine: engine, policy: token.Policy(p), passwords: passwords, emails: django.NewEmails(),
		style: pyjson.Spaced(), failures: failures(),
	}
	if p.Rules.JSON == profiles.JSONCompact {
		a.style = pyjson.Compact()
	}
	a.errors = reply.Compile(*p.Errors.Body, a.style)
	return a
}

// Handler serves the whole API.
func (a *API) Handler() http.Handler { return a.Before(http.HandlerFunc(a.other)) }

// Before serves the endpoints, and leaves other paths to next.
func (a *API) Before(next http.Handler) http.Handler { return route.New(a.profile, a.views, next) }

// other answers the paths that no endpoint has.
func (a *API) other(w http.ResponseWriter, r *http.Request) {
	v := &view{API: a}
	out := v.errorReply(http.StatusNotFound, "not_found", "not_found")
	if a.profile.OtherPaths == profiles.AccessToken {
		if _, refusal := v.authenticate(r); refusal != nil {
			out = refusal
		}
	}
	out.Write(w)
}

// answer is a reply with a body as json.dumps writes it.
func (a *API) answer(status int, body []byte, outcome string) wire.Reply {
	return wire.Reply{
		Status:      status,
		ContentType: "application/json",
		Headers:     a.profile.Headers,
		Body:        body,
		Outcome:     outcome,
	}
}

// with gives headers with more behind them. The given slice stays as it is.
func with(headers []profiles.Header, more ...profiles.Header) []profiles.Header {
	return append(headers[:len(headers):len(headers)], more...)
}
