package cors

import (
	"net/http"

	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// handler is an API with its CORS.
type handler struct {
	*policy
	api  http.Handler
	ours func(*http.Request) bool
}

// New gives an API its profile's CORS, if it has any. Preflights of requests that are ours are
// answered before all else; what is not ours belongs to an application behind the API, whose
// answers stay as they are. Replies of the API itself are finished wherever they come from.
func New(p *profiles.Profile, api http.Handler, ours func(*http.Request) bool) http.Handler {
	if p.CORS == nil {
		return api
	}
	return &handler{newPolicy(p), api, ours}
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.enabled(r) {
		h.api.ServeHTTP(w, r)
		return
	}
	w = &finisher{w, h.policy, r}
	if isPreflight(r) && h.ours(r) {
		out := h.preflight()
		out.Write(w)
		return
	}
	h.api.ServeHTTP(w, r)
}

// Gate gives the gate of an API its profile's CORS, if it has any: preflights of paths that
// nothing is behind are answered as those of the API.
func Gate(p *profiles.Profile, api front.API) front.API {
	if p.CORS == nil {
		return api
	}
	return &gate{api, newPolicy(p)}
}

// gate is the gate of an API with CORS. What it writes is finished by the handler around it.
type gate struct {
	front.API
	policy *policy
}

// Unknown implements front.API.
func (g *gate) Unknown(w http.ResponseWriter, r *http.Request) {
	if isPreflight(r) && g.policy.enabled(r) {
		out := g.policy.preflight()
		out.Write(w)
		return
	}
	g.API.Unknown(w, r)
}

// finisher is a ResponseWriter that adds headers to replies of the API.
type finisher struct {
	http.ResponseWriter
	policy  *policy
	request *http.Request // as it came, before anything is taken out of it
}

// FinishHeader implements wire.HeaderFinisher.
func (f *finisher) FinishHeader(h http.Header) { f.policy.finish(h, f.request) }

// RecordOutcome implements wire.OutcomeRecorder.
func (f *finisher) RecordOutcome(endpoint, outcome string, err error) {
	if o, ok := f.ResponseWriter.(wire.OutcomeRecorder); ok {
		o.RecordOutcome(endpoint, outcome, err)
	}
}

// RecordRule implements wire.RuleRecorder.
func (f *finisher) RecordRule(path string) {
	if o, ok := f.ResponseWriter.(wire.RuleRecorder); ok {
		o.RecordRule(path)
	}
}

// RecordSide implements wire.SideRecorder.
func (f *finisher) RecordSide(endpoint, side string) {
	if o, ok := f.ResponseWriter.(wire.SideRecorder); ok {
		o.RecordSide(endpoint, side)
	}
}

// Unwrap gives http.ResponseController access to the wrapped writer.
func (f *finisher) Unwrap() http.ResponseWriter { return f.ResponseWriter }
