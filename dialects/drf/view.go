package drf

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// view is one endpoint of an APIView, which has all endpoints of a path.
type view struct {
	*API
	endpoint profiles.Endpoint
	action   action
	reply    *reply.Body // on success; nil: empty
	*shared
}

// shared is what all endpoints of a path have in common.
type shared struct {
	headers *wire.Prepared   // of every reply: the profile's, Allow and Vary
	cookied *wire.Prepared   // of every reply for which a session was looked for
	allowed []string         // methods; empty: all, of paths that no endpoint has
	views   map[string]*view // by method
	access  profiles.Access  // of requests whose method no endpoint has
}

// action is what a view does with a request that has passed all checks.
type action interface {
	do(v *view, c call) result
}

// call is a request to a view. An action gets it once it has passed all checks.
type call struct {
	w       http.ResponseWriter
	request *http.Request
	method  string        // in upper case
	served  bool          // the view's endpoint answers the method
	session *core.Session // nil: anonymous
	scratch *scratch
}

// context is the context in which the engine acts on the call.
func (c call) context() context.Context { return c.request.Context() }

// scratch is memory that requests use in turn, one at a time.
type scratch struct {
	session core.Session
	// What the client was recognised by: a token, or a password.
	presented core.Presented
	confirmed core.Confirmation
	body      []byte
	cookie    bool      // a session was looked for
	list      *heldList // of a list of users that is long
}

// typicalBody is enough for most replies, so that writing one does not allocate.
const typicalBody = 512

// maxKept is the largest body whose memory the next request gets: it is erased after each, and
// a list of users may have megabytes.
const maxKept = 64 << 10

// reset erases what the last request left.
func (r *scratch) reset() {
	r.list.release()
	r.session, r.presented, r.confirmed, r.cookie, r.list = core.Session{}, "", core.Confirmation{}, false, nil
	if cap(r.body) > maxKept {
		r.body = make([]byte, 0, typicalBody)
		return
	}
	clear(r.body[:cap(r.body)])
}

// result is a reply before it is rendered. At most one of body, data and page is
// set.
type result struct {
	status  int
	body    []byte // JSON in the API's own style
	data    any    // JSON that has yet to be encoded
	page    []byte // an HTML page of Django's
	headers []profiles.Header
	outcome string
	err     error
	adopted *wire.Reply // of an old server, as it is; nil: the result is the rest
	own     *wire.Reply // of Django itself, as it is; nil: likewise
}

// View makes the handler of all endpoints of a path, at least one.
func (a *API) View(endpoints []profiles.Endpoint) http.Handler { return a.viewOf(endpoints) }

func (a *API) viewOf(endpoints []profiles.Endpoint) *view {
	actions := actions()
	act := func(e profiles.Endpoint) action {
		if e.Action == profiles.Login && len(e.Fields) == 0 {
			return issueAction{}
		}
		if form := a.served[e.Action]; form != nil {
			return formAction{form(e)}
		}
		return actions[e.Action]
	}
	first := a.view(endpoints[0], act(endpoints[0]))
	first.share(endpoints)
	for _, e := range endpoints {
		v := first
		if e.Name != first.endpoint.Name {
			v = a.view(e, act(e))
			v.shared = first.shared
		}
		for _, method := range e.Methods {
			first.views[method] = v
		}
	}
	if v := first.views[http.MethodGet]; v != nil {
		first.views[http.MethodHead] = v
	}
	return first
}

// share makes what the endpoints of the view's path have in common.
func (v *view) share(endpoints []profiles.Endpoint) {
	s := v.shared
	s.views = make(map[string]*view)
	for _, method := range profiles.Methods() {
		if _, ok := route.Endpoint(endpoints, method); ok {
			s.allowed = append(s.allowed, method)
		}
	}
	if slices.Contains(s.allowed, http.MethodGet) {
		s.allowed = append(s.allowed, http.MethodHead)
	}
	s.allowed = append(s.allowed, http.MethodOptions)
	// The permissions of a view are those of what it does for the method, which for others is
	// nothing that all may do.
	for _, e := range endpoints {
		if e.Access == profiles.AccessToken || e.View.Access == profiles.AccessToken {
			s.access = profiles.AccessToken
		}
	}
	shown := s.allowed
	if say := v.endpoint.View.Allow; say != nil {
		shown = say
	}
	allow := profiles.Header{Name: "Allow", Value: strings.Join(shown, ", ")}
	s.headers, s.cookied = prepare(v.profile.Headers, v.endpoint, allow)
}

// view makes the view of one endpoint, for a path of its own.
func (a *API) view(e profiles.Endpoint, do action) *view {
	v := &view{API: a, endpoint: e, action: do, shared: &shared{access: e.Access}}
	if e.Reply.Body != nil {
		v.reply = reply.Compile(*e.Reply.Body, a.style)
	}
	v.headers, v.cookied = prepare(a.profile.Headers, e)
	return v
}

// prepare makes the headers of every reply, without and with a session that was looked for.
func prepare(all []profiles.Header, e profiles.Endpoint, more ...profiles.Header) (plain, cookied *wire.Prepared) {
	headers := append(slices.Clone(all), more...)
	vary := "Cookie"
	if len(e.Renderers) > 1 {
		vary = "Accept, Cookie"
		plain = wire.Prepare(append(slices.Clip(headers), profiles.Header{Name: "Vary", Value: "Accept"}))
	} else {
		plain = wire.Prepare(headers)
	}
	return plain, wire.Prepare(append(slices.Clip(headers), profiles.Header{Name: "Vary", Value: vary}))
}

// ServeHTTP decides in the order of APIView.dispatch (rest_framework/views.py).
func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.ToUpper(r.Method) // as WSGIRequest has it
	served, ok := v.views[method]
	if ok {
		v = served
	}
	ok = ok || len(v.allowed) == 0
	mem := v.scratchPool.Get().(*scratch)
	accepted, refusal := v.negotiate(r)
	var res result
	switch {
	case refusal != nil && v.profile.Rules.Negotiation != profiles.NegotiationLast:
		res = *refusal
	default:
		res = v.admit(call{w: w, request: r, method: method, served: ok, scratch: mem}, refusal)
	}
	if mem.list != nil && v.decodes(accepted) {
		if err := mem.list.grow(decodedList * int64(len(res.body))); err != nil {
			res = *v.engineError(err)
		}
	}
	out := v.render(res, accepted)
	if mem.cookie && res.adopted == nil {
		v.varyByCookie(&out)
	}
	out.WriteFor(w, v.endpoint.Name)
	mem.reset()
	v.scratchPool.Put(mem)
}

// admit authenticates, checks the permission and the method, and acts. late is the
// failed negotiation of a stack that negotiates last.
func (v *view) admit(c call, late *result) result {
	session, refusal := v.authenticate(&c, late)
	if refusal != nil {
		return *refusal
	}
	access := v.access
	if c.served {
		access = v.endpoint.Access
	}
	if session == nil && access == profiles.AccessToken {
		return *v.unauthorized("token_missing", v.message("token_missing"))
	}
	if late != nil {
		return *late
	}
	switch {
	case c.served:
		c.session = session
		return v.action.do(v, c)
	case c.method == http.MethodOptions:
		c.session = session
		return v.options(c)
	}
	return *v.detail(http.StatusMethodNotAllowed, "method_not_allowed", v.message("method", "method", c.method))
}
