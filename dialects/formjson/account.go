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

// What a view of the framework does with a form of Django's for who has a token.

// owned makes the forms of an action on the caller's account, in which do answers a form; nil: the
// endpoint has no fields, and the body is not read. err is a failure that the framework's view answers.
func (a *API) owned(do func(v *view, ctx context.Context, in drf.Admitted, form *django.Form) (answer wire.Reply, err error)) func(profiles.Endpoint) drf.Form {
	return func(e profiles.Endpoint) drf.Form {
		v := a.view(e, nil)
		return func(in drf.Admitted) (wire.Reply, error) {
			var form *django.Form
			if len(e.Fields) > 0 {
				var refusal *wire.Reply
				if form, refusal = v.read(in.W, in.Request); refusal != nil {
					return *refusal, nil
				}
			}
			answer, err := do(v, in.Request.Context(), in, form)
			if err != nil {
				return wire.Reply{}, err
			}
			return a.inView(answer, in.Headers), nil
		}
	}
}

// inView gives an answer the headers of every reply of a view, among which are the profile's.
func (a *API) inView(answer wire.Reply, headers *wire.Prepared) wire.Reply {
	answer.Headers, answer.Always = answer.Headers[len(a.profile.Headers):], headers
	return answer
}

// setPassword is Django's PasswordChangeForm or, where the API asks for no password, SetPasswordForm
// (django/contrib/auth/forms.py), which cleans each field in its turn.
func (v *view) setPassword(ctx context.Context, in drf.Admitted, form *django.Form) (answer wire.Reply, err error) {
	e, session := v.endpoint, in.Session
	values, failures := v.clean(e.Fields, form)
	confirmation, err := v.confirm(ctx, session.User, values, failures)
	if err == nil {
		v.changedPassword(e, session.User, values, failures)
		if failures.Len() > 0 {
			return v.badRequest(inOrder(e, failures), "invalid"), nil
		}
		err = newpassword.Change(ctx, v.engine, v.policy, session.User, confirmation, in.Still, values[profiles.RolePassword], e.Logout)
	}
	return v.done(err)
}

// deleteAccount removes the caller and all tokens. Where the API asks for the password, that is a form
// of its own, with the error of PasswordChangeForm.
func (v *view) deleteAccount(ctx context.Context, in drf.Admitted, form *django.Form) (answer wire.Reply, err error) {
	session := in.Session
	var confirmation *core.Confirmation
	if form != nil {
		values, failures := v.clean(v.endpoint.Fields, form)
		if confirmation, err = v.confirm(ctx, session.User, values, failures); err == nil && failures.Len() > 0 {
			return v.badRequest(failures, "invalid"), nil
		}
	}
	var confirmed core.Confirmation
	if err == nil {
		confirmed, err = v.engine.Confirmed(ctx, session.User, session.User, confirmation, in.Still)
	}
	if err == nil {
		err = v.engine.DeleteAccount(ctx, v.policy, confirmed)
	}
	return v.done(err)
}

// done answers for what was done to the caller's account, or why it was not. err is that the user is gone
// since the token was looked up, or that the token is.
func (v *view) done(failed error) (answer wire.Reply, err error) {
	field, asked := v.endpoint.Field(profiles.RoleCurrentPassword)
	switch kind := core.KindOf(failed); {
	case failed == nil:
		return v.success(&reply.Data{}), nil
	case kind == core.KindUserUnknown, drf.Refused(failed):
		return answer, failed
	case kind == core.KindInvalidCredentials && asked: // it has been changed since it was confirmed
		return v.badRequest(fieldError(field.Name, v.message("current_password")), "invalid"), nil
	}
	return v.engineError(failed), nil
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
