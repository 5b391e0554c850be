// Package dialects serves old token-auth APIs over the engine. A family of APIs is
// Go code, an API is data: everything in which two APIs of one family differ is in
// their profiles.
package dialects

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/maillink"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects/drf"
	"github.com/authcompat/authcompat/dialects/formjson"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/cors"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/dialects/plainjson"
	"github.com/authcompat/authcompat/profiles"
)

// New makes the handler that serves the profile's API over the engine. It fails for
// an unknown family, for tokens that the engine's store can't hold, and with [ErrNoList]. The handler
// makes use of a ResponseWriter that is an [OutcomeRecorder], and of the client in the
// context of a request (package clients of core).
func New(p *profiles.Profile, engine *core.Service, options ...Option) (http.Handler, error) {
	f, err := newFamily(p, engine, options)
	if err != nil {
		return nil, err
	}
	return cors.New(p, f.Handler(), func(*http.Request) bool { return true }), nil
}

// NewBefore is New for an API with an application behind it: next makes the handler of all
// paths that no endpoint has ([front.New]), in the place of the profile's other_paths. Of the
// profile's CORS the application's answers have nothing, and its preflights are passed on.
func NewBefore(p *profiles.Profile, engine *core.Service, next func(front.API) http.Handler, options ...Option) (http.Handler, error) {
	f, err := newFamily(p, engine, options)
	if err != nil {
		return nil, err
	}
	find := NewFinder(p)
	return cors.New(p, f.Before(next(cors.Gate(p, f.gate()))), func(r *http.Request) bool { return find(r).Endpoint != "" }), nil
}

// NewGate makes what answers for an API without serving it, as package ask does.
func NewGate(p *profiles.Profile, engine *core.Service, options ...Option) (front.API, error) {
	f, err := newFamily(p, engine, options)
	if err != nil {
		return nil, err
	}
	return f.gate(), nil
}

// family is an API of some family.
type family interface {
	Handler() http.Handler
	Before(next http.Handler) http.Handler
	gate() front.API
}

// The families, with their gates as the interface that they implement.
type (
	drfAPI       struct{ *drf.API }
	formjsonAPI  struct{ *formjson.API }
	plainjsonAPI struct{ *plainjson.API }
)

func (a drfAPI) gate() front.API       { return a.Gate() }
func (a formjsonAPI) gate() front.API  { return a.Gate() }
func (a plainjsonAPI) gate() front.API { return a.Gate() }

// deployment is what a deployment adds to what profiles say.
type deployment struct {
	common validation.Common
	links  *maillink.Generator
}

// Option is one thing that a deployment adds to what profiles say.
type Option func(*deployment)

// WithCommonPasswords gives the list of passwords that the validator common refuses.
func WithCommonPasswords(list validation.Common) Option {
	return func(d *deployment) { d.common = list }
}

// WithLinks gives what makes and checks the links in mails. Without it, and without somebody who sends the mails
// (OnMail of the engine), what is done by mail is answered with 503.
func WithLinks(links *maillink.Generator) Option {
	return func(d *deployment) { d.links = links }
}

// ErrNoList says that a profile has the validator common, and that there is no list for it.
var ErrNoList = newpassword.ErrNoList

func newFamily(p *profiles.Profile, engine *core.Service, options []Option) (family, error) {
	var d deployment
	for _, add := range options {
		add(&d)
	}
	passwords, err := newpassword.New(p, d.common)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	if err := engine.AddPolicy(token.Policy(p)); err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	switch p.Family {
	case profiles.DRF:
		return drfAPI{drf.New(p, engine, passwords, d.links)}, nil
	case profiles.FormJSON:
		return formjsonAPI{formjson.New(p, engine, passwords)}, nil
	case profiles.PlainJSON:
		return plainjsonAPI{plainjson.New(p, engine, passwords)}, nil
	}
	return nil, fmt.Errorf("profile %s: no family %q", p.Name, p.Family)
}

// OutcomeRecorder is a ResponseWriter that records the outcome of its request, for
// logs and metrics.
type OutcomeRecorder = wire.OutcomeRecorder

// RuleRecorder is a ResponseWriter that records which rule of a front decided about its request.
type RuleRecorder = wire.RuleRecorder

// SideRecorder is a ResponseWriter that records which side of a switch answers its request.
type SideRecorder = wire.SideRecorder

// Found is which endpoint of a profile answers a request.
type Found = route.Found

// NewFinder returns what finds the endpoint of a request: New and NewBefore go by the same.
func NewFinder(p *profiles.Profile) func(*http.Request) Found { return route.NewFinder(p) }

// NewSampleFinder is NewFinder for requests of which there is a method and a path, with or without a query, as an exchange has
// them.
func NewSampleFinder(p *profiles.Profile) func(method, path string) Found {
	find := NewFinder(p)
	return func(method, path string) Found {
		path, _, _ = strings.Cut(path, "?")
		return find(&http.Request{Method: method, URL: &url.URL{Path: path}})
	}
}

// Policy gives the engine's policy that the handler of a profile uses.
func Policy(p *profiles.Profile) core.Policy { return token.Policy(p) }

// LinkForm gives the form of the uid in the links of a profile's mails, and whether their tokens
// depend on all addresses of a user ([maillink.Generator]).
func LinkForm(p *profiles.Profile) (uid maillink.UIDFormat, allEmails bool) { return drf.LinkForm(p) }
