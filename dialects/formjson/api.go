// Package formjson speaks as plain Django views do that feed a form with
// request.POST and answer its outcome through JsonResponse as {errors, success,
// token}, beside a logout that is a view of Django REST framework.
//
//	routes   register and login are form views, open to all; logout and paths
//	         that no endpoint has are package drf's
//	order    method (405, empty), then the form, then the engine
//
// Sources are django/forms/*.py and django/contrib/auth/forms.py 2.2 unless a
// comment names another version.
package formjson

import (
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/drf"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// allErrors is where errors that belong to no field stand
// (django/core/exceptions.py, NON_FIELD_ERRORS).
const allErrors = "__all__"

// API is one profile's views.
type API struct {
	profile *profiles.Profile
	engine  *core.Service
	policy  core.Policy
	emails  *django.Emails
	forms   django.Forms
	errors  *reply.Body // the shape of a failure
}

// New makes the handler of a profile.
func New(p *profiles.Profile, engine *core.Service) http.Handler {
	a := &API{profile: p, engine: engine, policy: token.Policy(p), emails: django.NewEmails(), forms: django.NewForms()}
	a.errors = reply.Compile(*p.Errors.Body, pyjson.Spaced())
	framework := drf.New(p, engine)
	return route.New(p, func(e profiles.Endpoint) http.Handler {
		switch e.Action {
		case profiles.Register:
			return a.view(e, a.signup)
		case profiles.Login:
			return a.view(e, a.login)
		}
		return framework.View(e)
	}, framework.Other())
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

// failed is the reply to a form with errors.
func (a *API) failed(failures *pyjson.Object, outcome string) wire.Reply {
	return a.answer(a.profile.Errors.Status, a.shape(failures), outcome)
}

// shape is the body of a failure.
func (a *API) shape(failures *pyjson.Object) []byte {
	return a.errors.Append(nil, &reply.Data{Errors: failures})
}

// failedAll is failed with one error of no field.
func (a *API) failedAll(key, outcome string) wire.Reply {
	return a.failed(new(pyjson.Object).Set(allErrors, []any{a.profile.Messages.Format(key)}), outcome)
}

// trouble is a failure of the engine that is nothing of the client's.
func (a *API) trouble(err error) wire.Reply {
	kind := core.KindOf(err)
	wait := reply.RetryAfter(err)
	status, sentence := http.StatusInternalServerError, a.profile.Messages.Format("unavailable")
	switch kind {
	case core.KindUnavailable, core.KindOverloaded, core.KindCanceled:
		status = http.StatusServiceUnavailable
	case core.KindThrottled:
		status, sentence = http.StatusTooManyRequests, a.profile.Messages.Format("throttled", "seconds", wait.Value)
	}
	r := a.answer(status, a.shape(new(pyjson.Object).Set(allErrors, []any{sentence})), kind.String())
	if status != http.StatusInternalServerError {
		r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], wait)
	}
	r.Err = err
	return r
}
