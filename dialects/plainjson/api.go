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
}

// New makes the handler of a profile.
func New(p *profiles.Profile, engine *core.Service) http.Handler {
	a := &API{profile: p, engine: engine, policy: token.Policy(p), emails: django.NewEmails(), style: pyjson.Spaced()}
	if p.Rules.JSON == profiles.JSONCompact {
		a.style = pyjson.Compact()
	}
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

// answer writes a body as json.dumps does.
func (a *API) answer(status int, body any, outcome string) wire.Reply {
	return wire.Reply{
		Status:      status,
		ContentType: "application/json",
		Headers:     a.profile.Headers,
		Body:        pyjson.Append(nil, body, a.style),
		Outcome:     outcome,
	}
}

// good is the reply of an endpoint that did its work.
func (a *API) good(e profiles.Endpoint, d reply.Data) wire.Reply {
	if e.Reply.Body == nil {
		return wire.Reply{Status: e.Reply.Status, Headers: a.profile.Headers, Outcome: "ok"}
	}
	return a.answer(e.Reply.Status, reply.Build(*e.Reply.Body, d), "ok")
}

// failed is a failure with one of the profile's sentences.
func (a *API) failed(status int, outcome, key string, pairs ...string) wire.Reply {
	sentence := a.profile.Messages.Format(key, pairs...)
	return a.answer(status, reply.Build(*a.profile.Errors.Body, reply.Data{Message: sentence, Status: status}), outcome)
}

// trouble is a failure of the engine that is nothing of the client's.
func (a *API) trouble(err error) wire.Reply {
	kind := core.KindOf(err)
	wait := reply.RetryAfter(err)
	var out wire.Reply
	switch kind {
	case core.KindThrottled:
		out = a.failed(http.StatusTooManyRequests, kind.String(), "throttled", "seconds", wait.Value)
	case core.KindUnavailable, core.KindOverloaded:
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
