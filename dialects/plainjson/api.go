// Package plainjson speaks as plain Django views do that read raw JSON and
// answer with json.dumps, every failure as one sentence in the profile's shape.
//
//	routes   one view an endpoint; other paths are a 404 in the same shape
//	order    preflight (OPTIONS), method (405), then the action, which reads the
//	         body as JSON whatever its Content-Type, or the token
//
// Such views have no framework whose texts they would share: the sentences are
// the profile's.
package plainjson

import (
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// API is one profile's views.
type API struct {
	profile *profiles.Profile
	engine  *core.Service
	policy  core.Policy
	emails  *django.Emails
	style   pyjson.Style
	errors  *reply.Body // the shape of a failure
}

// New makes the handler of a profile.
func New(p *profiles.Profile, engine *core.Service) http.Handler {
	a := &API{profile: p, engine: engine, policy: token.Policy(p), emails: django.NewEmails(), style: pyjson.Spaced()}
	if p.Rules.JSON == profiles.JSONCompact {
		a.style = pyjson.Compact()
	}
	a.errors = reply.Compile(*p.Errors.Body, a.style)
	return route.New(p, a.view, http.HandlerFunc(a.other))
}

// other answers the paths that no endpoint has.
func (a *API) other(w http.ResponseWriter, r *http.Request) {
	out := a.failed(http.StatusNotFound, "not_found", "not_found")
	if a.profile.OtherPaths == profiles.AccessToken {
		if _, refusal := a.authenticate(r); refusal != nil {
			out = *refusal
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

// failed is a failure with one of the profile's sentences.
func (a *API) failed(status int, outcome, key string, pairs ...string) wire.Reply {
	sentence := a.profile.Messages.Format(key, pairs...)
	return a.answer(status, a.errors.Append(nil, &reply.Data{Message: sentence, Status: status}), outcome)
}

// trouble is a failure of the engine that is nothing of the client's.
func (a *API) trouble(err error) wire.Reply {
	kind := core.KindOf(err)
	wait := reply.RetryAfter(err)
	var out wire.Reply
	switch kind {
	case core.KindThrottled:
		out = a.failed(http.StatusTooManyRequests, kind.String(), "throttled", "seconds", wait.Value)
	case core.KindUnavailable, core.KindOverloaded, core.KindCanceled:
		out = a.failed(http.StatusServiceUnavailable, kind.String(), "unavailable")
	default:
		out = a.failed(http.StatusInternalServerError, kind.String(), "unavailable")
		out.Err = err
		return out
	}
	out.Headers = with(out.Headers, wait)
	out.Err = err
	return out
}

// with gives headers with one more, the given slice untouched.
func with(headers []profiles.Header, more ...profiles.Header) []profiles.Header {
	return append(headers[:len(headers):len(headers)], more...)
}
