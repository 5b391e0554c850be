package plainjson

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// views are the endpoints of one path.
type views struct {
	*API
	endpoints []*view
	allow     string
}

// view is one endpoint.
type view struct {
	*API
	endpoint profiles.Endpoint
	reply    *reply.Body // on success; nil: empty
	act      func(v *view, w http.ResponseWriter, r *http.Request) wire.Reply
}

// success is the endpoint's reply.
func (v *view) success(d reply.Data) wire.Reply {
	if v.reply == nil {
		return wire.Reply{Status: v.endpoint.Reply.Status, Headers: v.profile.Headers, Outcome: "ok"}
	}
	return v.answer(v.endpoint.Reply.Status, v.reply.Append(nil, &d), "ok")
}

func (a *API) views(endpoints []profiles.Endpoint) http.Handler { return a.viewsOf(endpoints) }

func (a *API) viewsOf(endpoints []profiles.Endpoint) *views {
	p := &views{API: a}
	var allowed []string
	for _, method := range profiles.Methods() {
		if _, ok := route.Endpoint(endpoints, method); ok {
			allowed = append(allowed, method)
		}
	}
	p.allow = strings.Join(append(allowed, http.MethodOptions), ", ")
	for _, e := range endpoints {
		p.endpoints = append(p.endpoints, a.view(e))
	}
	return p
}

func (a *API) view(e profiles.Endpoint) *view {
	v := &view{API: a, endpoint: e}
	if e.Reply.Body != nil {
		v.reply = reply.Compile(*e.Reply.Body, a.style)
	}
	switch e.Action {
	case profiles.Register:
		v.act = (*view).register
	case profiles.Login:
		v.act = (*view).login
	case profiles.Logout:
		v.act = (*view).logout
	case profiles.LogoutAll:
		v.act = (*view).logoutAll
	case profiles.Account:
		v.act = (*view).account
	case profiles.Delete:
		v.act = (*view).deleteAccount
	case profiles.SetPassword:
		v.act = (*view).setPassword
	}
	return v
}

func (p *views) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.ToUpper(r.Method) // as WSGIRequest has it
	for _, v := range p.endpoints {
		if v.endpoint.Takes(method) {
			out := v.act(v, w, r)
			out.WriteFor(w, v.endpoint.Name)
			return
		}
	}
	out := p.refuse(method)
	out.WriteFor(w, p.endpoints[0].endpoint.Name)
}

// refuse answers a method that no endpoint has.
func (p *views) refuse(method string) wire.Reply {
	allow := profiles.Header{Name: "Allow", Value: p.allow}
	if method == http.MethodOptions {
		headers := with(p.profile.Headers, p.profile.PreflightHeaders...)
		return wire.Reply{Status: http.StatusOK, Headers: with(headers, allow), Outcome: "options"}
	}
	out := p.errorReply(http.StatusMethodNotAllowed, "method_not_allowed", "method", "method", method)
	out.Headers = with(out.Headers, allow)
	return *out
}

// authenticate gives the session of the request's token.
func (v *view) authenticate(r *http.Request) (core.Session, *wire.Reply) {
	header, _ := wire.Header(r, "Authorization")
	parsed, text := token.Parse(header, v.profile.Scheme)
	if parsed != token.Found {
		return core.Session{}, v.unauthorized("token_missing", "token_invalid")
	}
	session, err := v.engine.Authenticate(r.Context(), v.policy, token.Presented(text, v.profile.Tokens.Match))
	if err != nil {
		return core.Session{}, v.engineError(err)
	}
	return session, nil
}

// still tells whether the token of the request is good still.
func (v *view) still(r *http.Request) core.Still {
	return func(ctx context.Context) error {
		header, _ := wire.Header(r, "Authorization")
		_, text := token.Parse(header, v.profile.Scheme)
		_, err := v.engine.Owner(ctx, v.policy.Realm, token.Presented(text, v.profile.Tokens.Match))
		return err
	}
}

// read reads the endpoint's fields, by role.
func (v *view) read(w http.ResponseWriter, r *http.Request) (map[profiles.Role]string, *wire.Reply) {
	object, refusal := v.object(w, r)
	if refusal != nil {
		return nil, refusal
	}
	return v.values(object, v.endpoint.Fields)
}

// object reads the body as a JSON object. Python's json.loads detects Unicode's
// encodings.
func (v *view) object(w http.ResponseWriter, r *http.Request) (*pyjson.Object, *wire.Reply) {
	body, err := wire.Body(w, r)
	if errors.Is(err, wire.ErrBodyTooLarge) {
		return nil, v.errorReply(http.StatusRequestEntityTooLarge, "too_large", "too_large")
	}
	if wire.IsOverloaded(err) {
		return nil, v.engineError(err)
	}
	var value any
	if err == nil {
		value, err = pyjson.DecodeBytes(body, pyjson.Options{})
	}
	if err != nil {
		return nil, v.badRequest("malformed", "malformed")
	}
	object, ok := value.(*pyjson.Object)
	if !ok {
		return nil, v.badRequest("invalid", "not_object")
	}
	return object, nil
}

// values reads the endpoint's fields, by role, and stops at the first error.
func (a *API) values(object *pyjson.Object, fields []profiles.Field) (map[profiles.Role]string, *wire.Reply) {
	values := make(map[profiles.Role]string, len(fields))
	for _, f := range fields {
		raw, sent := object.Get(f.Name)
		if !sent && !f.Required {
			continue
		}
		text, isText := convert(f, raw)
		if sent && !isText {
			return nil, a.fieldError(f, "not_string")
		}
		if text == "" && f.Required && !f.Blank {
			return nil, a.fieldError(f, "required")
		}
		if refusal := a.check(f, text); refusal != nil {
			return nil, refusal
		}
		values[f.Role] = text
	}
	return values, nil
}

// convert gives the text of a field, and whether its raw value is one.
func convert(f profiles.Field, raw any) (text string, isText bool) {
	text, isText = raw.(string)
	if f.Trim {
		text = spelling.Strip(text)
	}
	if f.Lower {
		text = strings.ToLower(text)
	}
	return text, isText
}

// username gives the username in a request's body as the engine would get it; empty: none.
func (v *view) username(r *http.Request) string {
	object, refusal := v.object(nil, r)
	if refusal != nil {
		return ""
	}
	f, _ := v.endpoint.Field(profiles.RoleUsername)
	raw, _ := object.Get(f.Name)
	text, _ := convert(f, raw)
	return text
}
