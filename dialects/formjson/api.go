// Package formjson answers as plain Django views do that validate request.POST with
// a form and report the result through JsonResponse as {errors, success, token},
// beside views of Django REST framework for those who have a token.
//
//	routes   register and login are form views, open to all; package drf serves
//	         the other endpoints, and the paths that no endpoint has
//	order    method (405, empty), then the form, then the engine; set_password and
//	         delete are views of the framework, which decide as package drf says, with a form
//
// Sources are django/forms/*.py and django/contrib/auth/forms.py 2.2 unless a
// comment names another version.
package formjson

import (
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/drf"
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
	forms     django.Forms
	errors    *reply.Body // the shape of a failure
	failures  map[core.Kind]failure
	framework *drf.API // for those who have a token, and paths that no endpoint has
}

// New makes the API of a profile.
func New(p *profiles.Profile, engine *core.Service, passwords *newpassword.Checker) *API {
	a := &API{
		profile: p, engine: engine, policy: token.Policy(p), passwords: passwords, emails: django.NewEmails(), forms: django.NewForms(),
		errors: reply.Compile(*p.Errors.Body, pyjson.Spaced()), failures: failures(), framework: drf.New(p, engine, passwords, nil),
	}
	a.framework.Serve(profiles.SetPassword, a.owned((*view).setPassword))
	a.framework.Serve(profiles.Delete, a.owned((*view).deleteAccount))
	return a
}

// Handler serves the whole API.
func (a *API) Handler() http.Handler { return a.Before(a.framework.Other()) }

// Before serves the endpoints, and leaves other paths to next.
func (a *API) Before(next http.Handler) http.Handler {
	return route.New(a.profile, func(view []profiles.Endpoint) http.Handler {
		switch e := view[0]; e.Action { // a form has its path for itself
		case profiles.Register:
			return a.view(e, a.signup)
		case profiles.Login:
			return a.view(e, a.login)
		}
		return a.framework.View(view)
	}, next)
}

// answer is a JsonResponse.
func (a *API) answer(status int, body []byte, outcome string) wire.Reply {
	return wire.Reply{
		Status:      status,
		ContentType: "application/json",
		Headers:     a.profile.Headers,
		Body:        body,
		Outcome:     outcome,
	}
}

// message gives a sentence of the profile with its placeholders filled in.
func (a *API) message(key string, pairs ...string) string {
	return a.profile.Messages.Format(key, pairs...)
}
