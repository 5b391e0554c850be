// Package drf speaks as views of Django REST framework do, versions 2.4 to 3.14:
// serializer validation, {"detail": …} errors, content negotiation, and the order
// in which all that is decided.
//
//	routes   one view an endpoint; other paths are Django's 404 page, or behind
//	         a token the framework's own
//	order    negotiation (406), authentication (401), permission (401),
//	         method (405), then the action, which reads the body (400, 415)
//
// What differs by version is in the profile's rules and messages. Sources are
// rest_framework/*.py 3.14 unless a comment names another version.
package drf

import (
	"net/http"
	"sync"

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
	forms   django.Forms
	style   pyjson.Style // how the API writes JSON unless a client asks otherwise
	shape   *reply.Body  // of errors with a detail
	rooms   sync.Pool    // of *room
}

// New makes the API of a profile.
func New(p *profiles.Profile, engine *core.Service) *API {
	a := &API{profile: p, engine: engine, policy: token.Policy(p), emails: django.NewEmails(), forms: django.NewForms(), style: pyjson.Compact()}
	if p.Rules.JSON == profiles.JSONSpaced {
		a.style = pyjson.Spaced()
	}
	a.rooms.New = func() any { return &room{body: make([]byte, 0, typicalBody)} }
	a.shape = reply.Compile(*p.Errors.Detail, a.style)
	return a
}

// Handler serves the whole API.
func (a *API) Handler() http.Handler { return route.New(a.profile, a.View, a.Other()) }

// Other answers the paths that no endpoint has.
func (a *API) Other() http.Handler {
	if a.profile.OtherPaths == profiles.AccessToken {
		return a.view(profiles.Endpoint{
			Access: profiles.AccessToken, Authenticate: true,
			Renderers: []profiles.Renderer{profiles.RenderJSON},
		}, otherAction{})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := wire.Reply{
			Status:      http.StatusNotFound,
			ContentType: a.profile.Rules.PageContentType,
			Headers:     a.profile.Headers,
			Body:        django.NotFoundPage(a.profile.Rules.Page),
			Outcome:     "not_found",
		}
		page.Write(w)
	})
}

// message gives a sentence of the profile with its placeholders filled.
func (a *API) message(key string, pairs ...string) string {
	return a.profile.Messages.Format(key, pairs...)
}

// detail is an error as the framework's exception handler shapes it.
func (a *API) detail(status int, outcome, sentence string) result {
	body := a.shape.Append(nil, &reply.Data{Message: sentence, Status: status})
	return result{status: status, body: body, outcome: outcome}
}

// denied is a 401 with the challenge of the first authentication class.
func (a *API) denied(outcome, key string) result {
	r := a.detail(http.StatusUnauthorized, outcome, a.message(key))
	r.headers = []profiles.Header{{Name: "WWW-Authenticate", Value: a.profile.Scheme}}
	return r
}

// trouble is a failure of the engine that is nothing of the client's.
func (a *API) trouble(err error) result {
	kind := core.KindOf(err)
	wait := reply.RetryAfter(err)
	var r result
	switch kind {
	case core.KindOverloaded, core.KindThrottled:
		r = a.detail(http.StatusTooManyRequests, kind.String(), a.message("throttled", "seconds", wait.Value))
		r.headers = []profiles.Header{wait}
	case core.KindUnavailable, core.KindCanceled:
		r = a.detail(http.StatusServiceUnavailable, kind.String(), a.message("unavailable"))
		r.headers = []profiles.Header{wait}
	default:
		r = a.detail(http.StatusInternalServerError, kind.String(), a.message("unavailable"))
	}
	r.err = err
	return r
}

// python is the interpreter whose texts parse errors carry.
func (a *API) python() pyjson.Python {
	if a.profile.Rules.JSONErrors == profiles.JSONErrorsPython2 {
		return pyjson.Python27
	}
	return pyjson.Python311
}
