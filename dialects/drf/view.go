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
	reply    *reply.Body     // nil: the good reply is empty
	headers  []wire.Prepared // on every reply: the profile's, Allow and Vary
	allowed  []string        // methods
}

// action is what a view does once a request is let through.
type action interface {
	do(v *view, c call) result
}

// call is a request that was let through.
type call struct {
	w       http.ResponseWriter
	request *http.Request
	session *core.Session // nil: anonymous
	room    *room
}

// context is the context in which the engine acts on the call.
func (c call) context() context.Context { return wire.Context(c.w, c.request) }

// room is memory for one request, which is used again for others.
type room struct {
	session core.Session
	body    []byte
}

// typicalBody is room for most replies, so that they are written without
// growing.
const typicalBody = 512

// clean takes everything out of the room that was a client's.
func (r *room) clean() {
	r.session = core.Session{}
	clear(r.body[:cap(r.body)])
}

// result is a reply before it is rendered: with body, data or page, or empty.
type result struct {
	status  int
	body    []byte // JSON in the API's own style
	data    any    // JSON that is still to be written
	page    []byte // an HTML page of Django's
	headers []profiles.Header
	outcome string
	err     error
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

func (a *API) view(e profiles.Endpoint, do action) http.Handler {
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
	room := v.rooms.Get().(*room)
	accepted, refusal := v.negotiate(r)
	var res result
	switch {
	case refusal != nil && v.profile.Rules.Negotiation != profiles.NegotiationLast:
		res = *refusal
	default:
		res = v.admit(w, r, room, refusal)
	}
	out := v.render(res, accepted)
	out.WriteFor(w, v.endpoint.Name)
	room.clean()
	v.rooms.Put(room)
}

// admit authenticates, checks the permission and the method, and acts. late is
// the refusal of a stack that negotiates last.
func (v *view) admit(w http.ResponseWriter, r *http.Request, room *room, late *result) result {
	session, refusal := v.authenticate(r, room)
	if refusal != nil {
		return *refusal
	}
	if session == nil && v.endpoint.Access == profiles.AccessToken {
		return v.denied("token_missing", "token_missing")
	}
	if late != nil {
		return *late
	}
	method := strings.ToUpper(r.Method)
	switch {
	case method == http.MethodOptions && len(v.allowed) > 0:
		return v.options()
	case len(v.allowed) > 0 && !slices.Contains(v.allowed, method):
		return v.detail(http.StatusMethodNotAllowed, "method_not_allowed", v.message("method", "method", method))
	}
	return v.action.do(v, call{w: w, request: r, session: session, room: room})
}

// authenticate gives the session of the request's token: nil for an anonymous
// request, a refusal for a bad header or token.
func (v *view) authenticate(r *http.Request, room *room) (*core.Session, *result) {
	if !v.endpoint.Authenticate {
		return nil, nil
	}
	header, _ := wire.Header(r, "Authorization")
	finding, text := token.Parse(header, v.profile.Scheme)
	if finding == token.Characters && v.profile.Rules.TokenCharacters == profiles.TokenCharactersUnknown {
		finding = token.Found
	}
	switch finding {
	case token.None:
		return nil, nil
	case token.Empty:
		return nil, v.refuse("token_malformed", "token_empty")
	case token.Spaces:
		return nil, v.refuse("token_malformed", "token_spaces")
	case token.Characters:
		return nil, v.refuse("token_malformed", "token_characters")
	}
	session, err := v.engine.Authenticate(r.Context(), v.policy.Realm, token.Presented(text, v.profile.Tokens.Match))
	if err == nil {
		room.session = session
		return &room.session, nil
	}
	switch kind := core.KindOf(err); kind {
	case core.KindTokenUnknown:
		return nil, v.refuse(kind.String(), "token_invalid")
	case core.KindTokenExpired:
		return nil, v.refuse(kind.String(), "token_expired")
	case core.KindUserInactive:
		return nil, v.refuse(kind.String(), "token_inactive")
	}
	refusal := v.trouble(err)
	return nil, &refusal
}

func (v *view) refuse(outcome, key string) *result {
	r := v.denied(outcome, key)
	return &r
}
