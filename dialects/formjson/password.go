package formjson

import (
	"context"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/drf"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// setPassword makes a view of the framework with Django's PasswordChangeForm or, where the API asks
// for no password, SetPasswordForm (django/contrib/auth/forms.py).
func (a *API) setPassword(e profiles.Endpoint) drf.Form {
	v := a.view(e, nil)
	return func(in drf.Admitted) (wire.Reply, error) {
		form, refusal := v.read(in.W, in.Request)
		if refusal != nil {
			return *refusal, nil
		}
		answer, err := v.changePassword(in.Request.Context(), in.Session, form)
		answer.Headers, answer.Always = answer.Headers[len(a.profile.Headers):], in.Headers // which has those, too
		return answer, err
	}
}

// changePassword cleans each field in its turn, and changes the caller's password if there is nothing wrong
// with any. err is that the user is gone since the token was looked up.
func (v *view) changePassword(ctx context.Context, session core.Session, form *django.Form) (answer wire.Reply, err error) {
	e := v.endpoint
	values, failures := v.clean(e.Fields, form)
	confirmation, err := v.confirm(ctx, session.User, values, failures)
	if err == nil {
		v.changedPassword(e, session.User, values, failures)
		if failures.Len() > 0 {
			return v.badRequest(inOrder(e, failures), "invalid"), nil
		}
		err = newpassword.Change(ctx, v.engine, v.policy, session.User, confirmation, values[profiles.RolePassword], e.Logout)
	}
	field, asked := e.Field(profiles.RoleCurrentPassword)
	switch kind := core.KindOf(err); {
	case err == nil:
		return v.success(&reply.Data{User: session.User, Token: session.Token}), nil
	case kind == core.KindUserUnknown:
		return v.engineError(err), err
	case kind == core.KindInvalidCredentials && asked: // it has been changed since it was confirmed
		return v.badRequest(fieldError(field.Name, v.message("current_password")), "invalid"), nil
	}
	return v.engineError(err), nil
}

// confirm checks the current password, if it was sent, and adds the error of a wrong one
// (PasswordChangeForm.clean_old_password).
func (v *view) confirm(ctx context.Context, caller core.User, values cleaned, failures *pyjson.Object) (*core.Confirmation, error) {
	typed, sent := values[profiles.RoleCurrentPassword]
	if !sent {
		return nil, nil
	}
	confirmation, err := v.engine.ConfirmPassword(ctx, v.policy, caller, typed)
	if err == nil {
		return &confirmation, nil
	}
	if core.KindOf(err) != core.KindInvalidCredentials {
		return nil, err
	}
	field, _ := v.endpoint.Field(profiles.RoleCurrentPassword)
	failures.Set(field.Name, []any{v.message("current_password")})
	return nil, nil
}

// changedPassword adds what is wrong with the new password where it was typed again, or with the
// only field that it has: that the two differ, or else what the validators find
// (SetPasswordForm.clean_new_password2).
func (a *API) changedPassword(e profiles.Endpoint, of core.User, values cleaned, failures *pyjson.Object) {
	password, typed := values[profiles.RolePassword]
	field, twice := e.Field(profiles.RolePasswordAgain)
	again, sent := values[profiles.RolePasswordAgain]
	if !twice {
		field, _ = e.Field(profiles.RolePassword)
		again, sent = password, typed
	}
	switch {
	case !sent:
	case typed && again != password:
		failures.Set(field.Name, []any{a.message("mismatch")})
	default:
		if sentences := a.passwords.Check(again, field.Name, newpassword.Of(of)); sentences != nil {
			failures.Set(field.Name, sentences)
		}
	}
}

// inOrder gives errors in the order of the fields.
func inOrder(e profiles.Endpoint, failures *pyjson.Object) *pyjson.Object {
	ordered := new(pyjson.Object)
	for _, f := range e.Fields {
		if sentences, failed := failures.Get(f.Name); failed {
			ordered.Set(f.Name, sentences)
		}
	}
	return ordered
}
