package formjson

import (
	"context"
	"errors"
	"net/http"
	"strings"

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
	reply    *reply.Body // on success; nil: empty
	act      func(context.Context, *view, *django.Form) wire.Reply
}

func (a *API) view(e profiles.Endpoint, act func(context.Context, *view, *django.Form) wire.Reply) *view {
	v := &view{API: a, endpoint: e, act: act}
	if e.Reply.Body != nil {
		v.reply = reply.Compile(*e.Reply.Body, pyjson.Spaced())
	}
	return v
}

// success is the endpoint's reply.
func (v *view) success(d *reply.Data) wire.Reply {
	if v.reply == nil {
		return wire.Reply{Status: v.endpoint.Reply.Status, Headers: v.profile.Headers, Outcome: "ok"}
	}
	return v.answer(v.endpoint.Reply.Status, v.reply.Append(nil, d), "ok")
}

func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := v.answerTo(w, r)
	out.WriteFor(w, v.endpoint.Name)
}

func (v *view) answerTo(w http.ResponseWriter, r *http.Request) wire.Reply {
	if !v.endpoint.Takes(strings.ToUpper(r.Method)) { // as WSGIRequest has it
		return v.methodNotAllowed()
	}
	form, refusal := v.read(w, r)
	if refusal != nil {
		return *refusal
	}
	return v.act(r.Context(), v, form)
}

// methodNotAllowed is the answer to another method (django/views/decorators/http.py, require_http_methods).
func (v *view) methodNotAllowed() wire.Reply {
	return wire.Reply{
		Status:      http.StatusMethodNotAllowed,
		ContentType: "text/html; charset=utf-8",
		Headers:     append(v.profile.Headers[:len(v.profile.Headers):len(v.profile.Headers)], profiles.Header{Name: "Allow", Value: strings.Join(v.endpoint.Methods, ", ")}),
		Outcome:     "method_not_allowed",
	}
}

// read reads the form of a request, or gives the refusal of its body.
func (v *view) read(w http.ResponseWriter, r *http.Request) (*django.Form, *wire.Reply) {
	form, err := v.post(w, r)
	var refusal wire.Reply
	switch {
	case err == nil:
		return form, nil
	case errors.Is(err, wire.ErrBodyTooLarge):
		refusal = v.tooLarge()
	case wire.IsOverloaded(err):
		refusal = v.engineError(err)
	default:
		refusal = v.badForm()
	}
	return nil, &refusal
}

// tooLarge is the answer to a body that is.
func (v *view) tooLarge() wire.Reply {
	return v.answer(http.StatusRequestEntityTooLarge, v.errorBody(fieldError(nonField, v.message("too_large"))), "too_large")
}

// badForm is Django's own answer to a form that it refuses.
func (v *view) badForm() wire.Reply {
	return wire.Reply{
		Status:      http.StatusBadRequest,
		ContentType: v.profile.Rules.PageContentType,
		Headers:     v.profile.Headers,
		Body:        django.BadRequestPage(v.profile.Rules.Page),
		Outcome:     "malformed",
	}
}
