package formjson

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// view is a form view behind require_POST.
type view struct {
	*API
	endpoint profiles.Endpoint
	reply    *reply.Body
	act      func(context.Context, *view, *django.Form) wire.Reply
}

func (a *API) view(e profiles.Endpoint, act func(context.Context, *view, *django.Form) wire.Reply) http.Handler {
	return &view{API: a, endpoint: e, reply: reply.Compile(*e.Reply.Body, pyjson.Spaced()), act: act}
}

// success is the endpoint's reply.
func (v *view) success(s core.Session) wire.Reply {
	d := reply.OfSession(s)
	return v.answer(v.endpoint.Reply.Status, v.reply.Append(nil, &d), "ok")
}

func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := v.answerTo(w, r)
	out.WriteFor(w, v.endpoint.Name)
}

func (v *view) answerTo(w http.ResponseWriter, r *http.Request) wire.Reply {
	if !v.endpoint.Takes(strings.ToUpper(r.Method)) { // as WSGIRequest has it
		// django/views/decorators/http.py, require_http_methods.
		return wire.Reply{
			Status:      http.StatusMethodNotAllowed,
			ContentType: "text/html; charset=utf-8",
			Headers:     append(v.profile.Headers[:len(v.profile.Headers):len(v.profile.Headers)], profiles.Header{Name: "Allow", Value: strings.Join(v.endpoint.Methods, ", ")}),
			Outcome:     "method_not_allowed",
		}
	}
	form, err := v.post(w, r)
	switch {
	case errors.Is(err, wire.ErrBodyTooLarge):
		body := v.errorBody(fieldError(nonField, v.message("too_large")))
		return v.answer(http.StatusRequestEntityTooLarge, body, "too_large")
	case wire.IsOverloaded(err):
		return v.engineError(err)
	case err != nil:
		return wire.Reply{
			Status:      http.StatusBadRequest,
			ContentType: v.profile.Rules.PageContentType,
			Headers:     v.profile.Headers,
			Body:        django.BadRequestPage(v.profile.Rules.Page),
			Outcome:     "malformed",
		}
	}
	return v.act(r.Context(), v, form)
}
