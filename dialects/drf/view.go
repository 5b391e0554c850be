package drf

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// view is one endpoint, an APIView.
type view struct {
	*API
	endpoint profiles.Endpoint
	action   action
	reply    *reply.Body     // on success; nil: empty
	headers  []wire.Prepared // of every reply: the profile's, Allow and Vary
	allowed  []string        // methods
}

// action is what a view does with a request that has passed all checks.
type action interface {
	do(v *view, c call) result
}

// call is a request that has passed all checks.
type call struct {
	w       http.ResponseWriter
	request *http.Request
	session *core.Session // nil: anonymous
	scratch *scratch
}

// context is the context in which the engine acts on the call.
func (c call) context() context.Context { return c.request.Context() }

// scratch is memory that requests use in turn, one at a time.
type scratch struct {
	session core.Session
	body    []byte
}

// typicalBody is enough for most replies, so that writing one does not allocate.
const typicalBody = 512

// reset erases what the last request left.
func (r *scratch) reset() {
	r.session = core.Session{}
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
}

// View makes the handler of an endpoint.
func (a *API) View(e profiles.Endpoint) http.Handler {
	actions := map[profiles.Action]action{
		profiles.Register:  registerAction{},
		profiles.Login:     loginAction{},
		profiles.Logout:    logoutAction{},
		profiles.LogoutAll: logoutAllAction{},
		profiles.Account:   accountAction{},
	}
	return a.view(e, actions[e.Action])
}

func (a *API) view(e profiles.Endpoint, do action) *view {
	v := &view{API: a, endpoint: e, action: do}
	if e.Reply.Body != nil {
		v.reply = reply.Compile(*e.Reply.Body, a.style)
	}
	if e.Method != "" {
		v.allowed = []string{e.Method, http.MethodOptions}
		if e.Method == http.MethodGet {
			v.allowed = slices.Insert(v.allowed, 1, http.MethodHead)
		}
	}
	headers := slices.Clone(a.profile.Headers)
	if len(v.allowed) > 0 {
		headers = append(headers, profiles.Header{Name: "Allow", Value: strings.Join(v.allowed, ", ")})
	}
	if len(e.Renderers) > 1 {
		headers = append(headers, profiles.Header{Name: "Vary", Value: "Accept"})
	}
	v.headers = wire.Prepare(headers)
	return v
}

// ServeHTTP decides in the order of APIView.dispatch (rest_framework/views.py).
func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mem := v.scratchPool.Get().(*scratch)
	accepted, refusal := v.negotiate(r)
	var res result
	switch {
	case refusal != nil && v.profile.Rules.Negotiation != profiles.NegotiationLast:
		res = *refusal
	default:
		res = v.admit(w, r, mem, refusal)
	}
	out := v.render(res, accepted)
	out.WriteFor(w, v.endpoint.Name)
	mem.reset()
	v.scratchPool.Put(mem)
}

// admit authenticates, checks the permission and the method, and acts. late is the
// failed negotiation of a stack that negotiates last.
func (v *view) admit(w http.ResponseWriter, r *http.Request, mem *scratch, late *result) result {
	session, refusal := v.authenticate(r, mem)
	if refusal != nil {
		return *refusal
	}
	if session == nil && v.endpoint.Access == profiles.AccessToken {
		return *v.unauthorized("token_missing", v.message("token_missing"))
	}
	if late != nil {
		return *late
	}
	method := strings.ToUpper(r.Method)
	switch {
	case method == http.MethodOptions && len(v.allowed) > 0:
		return v.options()
	case len(v.allowed) > 0 && !slices.Contains(v.allowed, method):
		return *v.detail(http.StatusMethodNotAllowed, "method_not_allowed", v.message("method", "method", method))
	}
	return v.action.do(v, call{w: w, request: r, session: session, scratch: mem})
}

// authenticate gives the session of the request's token: nil for an anonymous
// request, a refusal for a bad header or token.
func (v *view) authenticate(r *http.Request, mem *scratch) (*core.Session, *result) {
	if !v.endpoint.Authenticate {
		return nil, nil
	}
	header, _ := wire.Header(r, "Authorization")
	parsed, text := token.Parse(header, v.profile.Scheme)
	if parsed == token.NotUTF8 && v.profile.Rules.TokenCharacters == profiles.TokenCharactersUnknown {
		parsed = token.Found
	}
	switch parsed {
	case token.Absent:
		return nil, nil
	case token.Empty:
		return nil, v.unauthorized("token_malformed", v.message("token_empty"))
	case token.HasSpaces:
		return nil, v.unauthorized("token_malformed", v.message("token_spaces"))
	case token.NotUTF8:
		return nil, v.unauthorized("token_malformed", v.message("token_characters"))
	}
	session, err := v.engine.Authenticate(r.Context(), v.policy, token.Presented(text, v.profile.Tokens.Match))
	if err != nil {
		return nil, v.engineError(err)
	}
	mem.session = session
	return &mem.session, nil
}
