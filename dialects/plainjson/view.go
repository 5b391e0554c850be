package plainjson

import (
	"errors"
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// view is one endpoint.
type view struct {
	*API
	endpoint profiles.Endpoint
	reply    *reply.Body // nil: the good reply is empty
	allow    string
	act      func(v *view, w http.ResponseWriter, r *http.Request) wire.Reply
}

// good is the reply when all went well.
func (v *view) good(d reply.Data) wire.Reply {
	if v.reply == nil {
		return wire.Reply{Status: v.endpoint.Reply.Status, Headers: v.profile.Headers, Outcome: "ok"}
	}
	return v.answer(v.endpoint.Reply.Status, v.reply.Append(nil, &d), "ok")
}

func (a *API) view(e profiles.Endpoint) http.Handler {
	v := &view{API: a, endpoint: e, allow: e.Method + ", " + http.MethodOptions}
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
	}
	return v
}

func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := v.answerTo(w, r)
	out.WriteFor(w, v.endpoint.Name)
}

func (v *view) answerTo(w http.ResponseWriter, r *http.Request) wire.Reply {
	allow := profiles.Header{Name: "Allow", Value: v.allow}
	switch strings.ToUpper(r.Method) { // as WSGIRequest has it
	case v.endpoint.Method:
		return v.act(v, w, r)
	case http.MethodOptions:
		headers := with(v.profile.Headers, v.profile.PreflightHeaders...)
		return wire.Reply{Status: http.StatusOK, Headers: with(headers, allow), Outcome: "options"}
	}
	out := v.failed(http.StatusMethodNotAllowed, "method_not_allowed", "method")
	out.Headers = with(out.Headers, allow)
	return out
}

// authenticate gives the session of the request's token.
func (a *API) authenticate(r *http.Request) (core.Session, *wire.Reply) {
	header, _ := wire.Header(r, "Authorization")
	finding, text := token.Parse(header, a.profile.Scheme)
	if finding != token.Found {
		out := a.failed(http.StatusUnauthorized, "token_missing", "token_invalid")
		return core.Session{}, &out
	}
	session, err := a.engine.Authenticate(r.Context(), a.policy.Realm, token.Presented(text, a.profile.Tokens.Match))
	if err != nil {
		out := a.refused(err)
		return core.Session{}, &out
	}
	return session, nil
}

// refused is the answer to a token that is not good.
func (a *API) refused(err error) wire.Reply {
	switch kind := core.KindOf(err); kind {
	case core.KindTokenUnknown:
		return a.failed(http.StatusUnauthorized, kind.String(), "token_invalid")
	case core.KindTokenExpired:
		return a.failed(http.StatusUnauthorized, kind.String(), "token_expired")
	case core.KindUserInactive:
		return a.failed(http.StatusUnauthorized, kind.String(), "token_inactive")
	}
	return a.trouble(err)
}

// object reads the body as a JSON object. Python's json.loads takes any of
// Unicode's encodings.
func (a *API) object(w http.ResponseWriter, r *http.Request) (*pyjson.Object, *wire.Reply) {
	body, err := wire.Body(w, r)
	if errors.Is(err, wire.ErrBodyTooLarge) {
		out := a.failed(http.StatusRequestEntityTooLarge, "too_large", "too_large")
		return nil, &out
	}
	if wire.NoRoom(err) {
		out := a.trouble(err)
		return nil, &out
	}
	var value any
	if err == nil {
		value, err = pyjson.DecodeBytes(body, pyjson.Options{})
	}
	if err != nil {
		out := a.failed(http.StatusBadRequest, "malformed", "malformed")
		return nil, &out
	}
	object, ok := value.(*pyjson.Object)
	if !ok {
		out := a.failed(http.StatusBadRequest, "invalid", "not_object")
		return nil, &out
	}
	return object, nil
}

// values reads the endpoint's fields, by role, and stops at the first that is
// wrong.
func (a *API) values(object *pyjson.Object, fields []profiles.Field) (map[profiles.Role]string, *wire.Reply) {
	values := make(map[profiles.Role]string, len(fields))
	for _, f := range fields {
		raw, sent := object.Get(f.Name)
		if !sent && !f.Required {
			continue
		}
		text, isText := raw.(string)
		if sent && !isText {
			return nil, a.wrong(f, "not_string")
		}
		if f.Trim {
			text = core.Strip(text)
		}
		if f.Lower {
			text = strings.ToLower(text)
		}
		if text == "" && f.Required && !f.Blank {
			return nil, a.wrong(f, "required")
		}
		if refusal := a.check(f, text); refusal != nil {
			return nil, refusal
		}
		values[f.Role] = text
	}
	return values, nil
}

// wrong is a 400 about a field.
func (a *API) wrong(f profiles.Field, key string, pairs ...string) *wire.Reply {
	out := a.failed(http.StatusBadRequest, "invalid", key, append(pairs, "field", f.Name)...)
	return &out
}
