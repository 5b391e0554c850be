// Package drf answers as views of Django REST framework do, versions 2.4 to 3.14:
// serializer validation, {"detail": …} errors, content negotiation, and the order
// in which all that is decided.
//
//	routes   one view per endpoint; other paths answer Django's 404 page, or, if
//	         they want a token, the framework's own 404
//	order    negotiation (406), authentication (401), permission (401),
//	         method (405), then the action, which reads the body (400, 415)
//
// What differs between versions is in the profile's rules and messages. Sources are
// rest_framework/*.py 3.14 unless a comment names another version.
package drf

import (
	"net/http"
	"sync"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
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
	profile     *profiles.Profile
	engine      *core.Service
	policy      core.Policy
	passwords   *newpassword.Checker
	links       *maillink.Generator // nil: there is no key of links in mails
	emails      *django.Emails
	forms       django.Forms
	style       pyjson.Style // how the API writes JSON unless a client asks otherwise
	detailBody  *reply.Body  // of errors with a detail
	failures    map[core.Kind]failure
	served      map[profiles.Action]func(profiles.Endpoint) Form // what forms do
	scratchPool sync.Pool                                        // of *scratch
	lists       *listMemory
}

// New makes the API of a profile. links make and check the links in mails; nil: nobody can follow one.
func New(p *profiles.Profile, engine *core.Service, passwords *newpassword.Checker, links *maillink.Generator) *API {
	a := &API{
		profile: p, engine: engine, policy: token.Policy(p), passwords: passwords, links: linksOf(p, links), emails: django.NewEmails(), forms: django.NewForms(),
		style: pyjson.Compact(), failures: failures(p.Rules), lists: newListMemory(),
	}
	if p.Rules.JSON == profiles.JSONSpaced {
		a.style = pyjson.Spaced()
	}
	a.scratchPool.New = func() any { return &scratch{body: make([]byte, 0, typicalBody)} }
	a.detailBody = reply.Compile(*p.Errors.Detail, a.style)
	return a
}

// Handler serves the whole API.
func (a *API) Handler() http.Handler { return a.Before(a.Other()) }

// Before serves the endpoints, and leaves other paths to next.
func (a *API) Before(next http.Handler) http.Handler { return route.New(a.profile, a.View, next) }

// Other answers the paths that no endpoint has.
func (a *API) Other() http.Handler {
	if a.profile.OtherPaths == profiles.AccessToken {
		return a.otherView()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := a.otherPage()
		page.Write(w)
	})
}

// otherView is the view of the paths that no endpoint has, where they want a token.
func (a *API) otherView() *view {
	return a.view(profiles.Endpoint{
		Access: profiles.AccessToken, Authentication: a.profile.Authentication,
		Renderers: []profiles.Renderer{profiles.RenderJSON},
	}, otherAction{})
}

// otherPage is Django's answer to a path that it does not know.
func (a *API) otherPage() wire.Reply {
	return wire.Reply{
		Status:      http.StatusNotFound,
		ContentType: a.profile.Rules.PageContentType,
		Headers:     a.profile.Headers,
		Body:        django.NotFoundPage(a.profile.Rules.Page),
		Outcome:     "not_found",
	}
}

// message gives a sentence of the profile with its placeholders filled in.
func (a *API) message(key string, pairs ...string) string {
	return a.profile.Messages.Format(key, pairs...)
}

// python is the interpreter whose parse errors the API shows.
func (a *API) python() pyjson.Python {
	if a.profile.Rules.JSONErrors == profiles.JSONErrorsPython2 {
		return pyjson.Python27
	}
	return pyjson.Python311
}
