package formjson

import (
	"context"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/adopt"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// login is a view with Django's AuthenticationForm.
func (a *API) login(ctx context.Context, v *view, form *django.Form) wire.Reply {
	e := v.endpoint
	values, failures := a.clean(e.Fields, form)
	if failures.Len() > 0 {
		return a.badRequest(failures, "invalid")
	}
	session, adopted, err := adopt.Login(ctx, a.engine, a.policy, e, values[profiles.RoleUsername], values[profiles.RolePassword])
	switch {
	case err != nil:
		return v.engineError(err)
	case adopted != nil:
		return *adopted
	}
	data := reply.OfSession(session)
	return v.success(&data)
}

// signup is a view with a UserCreationForm that has two more fields: an address,
// and an agreement to tick.
func (a *API) signup(ctx context.Context, v *view, form *django.Form) wire.Reply {
	e := v.endpoint
	values, failures := a.clean(e.Fields, form)
	failures = a.compare(e, values, failures)
	if err := a.modelErrors(ctx, e, values, failures); err != nil {
		return v.engineError(err)
	}
	a.passwordErrors(e, values, failures)
	if failures.Len() > 0 {
		return a.badRequest(failures, "invalid")
	}
	session, err := a.engine.Register(ctx, a.policy, core.Registration{
		Username: values[profiles.RoleUsername],
		Email:    values[profiles.RoleEmail],
		Password: values[profiles.RolePassword],
		NoToken:  !e.ShowsToken(), // nobody would ever know it
	})
	if err != nil {
		return v.engineError(err)
	}
	data := reply.OfSession(session)
	return v.success(&data)
}

// compare adds the error that the two passwords differ, in the place of its field:
// UserCreationForm.clean_password2 runs while the fields are cleaned.
func (a *API) compare(e profiles.Endpoint, values cleaned, failures *pyjson.Object) *pyjson.Object {
	again, ok := e.Field(profiles.RolePasswordAgain)
	first, second := values[profiles.RolePassword], values[profiles.RolePasswordAgain]
	if !ok || first == "" || second == "" || first == second {
		return failures
	}
	ordered := new(pyjson.Object)
	for _, f := range e.Fields {
		if f.Name == again.Name {
			ordered.Set(f.Name, []any{a.message("mismatch")})
		} else if v, failed := failures.Get(f.Name); failed {
			ordered.Set(f.Name, v)
		}
	}
	return ordered
}

// passwordErrors adds, behind all others, what the validators find wrong with the password that
// was typed again, or with the only one; not if it has an error already
// (django/contrib/auth/forms.py, UserCreationForm._post_clean).
func (a *API) passwordErrors(e profiles.Endpoint, values cleaned, failures *pyjson.Object) {
	field, ok := e.Field(profiles.RolePasswordAgain)
	if !ok {
		field, _ = e.Field(profiles.RolePassword)
	}
	password := values[field.Role]
	if _, failed := failures.Get(field.Name); failed || password == "" {
		return
	}
	of := core.User{Username: values[profiles.RoleUsername], Email: values[profiles.RoleEmail]}
	if sentences := a.passwords.Check(password, field.Name, newpassword.Of(of)); sentences != nil {
		failures.Set(field.Name, sentences)
	}
}

// modelErrors adds, after all others, what the model's own validation finds wrong
// with fields that passed the form: the characters of a username, the length of an
// address, and last that the username is taken (django/forms/models.py,
// BaseModelForm._post_clean).
func (a *API) modelErrors(ctx context.Context, e profiles.Endpoint, values cleaned, failures *pyjson.Object) error {
	field, _ := e.Field(profiles.RoleUsername)
	name := values[profiles.RoleUsername]
	invalid := name != "" && field.Characters != profiles.CharactersAny && !django.ValidUsername(name, field.Characters)
	if invalid {
		failures.Set(field.Name, []any{a.message("username_characters")})
	}
	email, _ := e.Field(profiles.RoleEmail)
	if n := utf8.RuneCountInString(values[profiles.RoleEmail]); n > core.MaxEmail {
		failures.Set(email.Name, []any{a.tooLong(core.MaxEmail, n)})
	}
	if name == "" || invalid {
		return nil
	}
	taken, err := a.engine.UsernameTaken(ctx, a.policy, name)
	if taken {
		failures.Set(field.Name, []any{a.message("username_taken")})
	}
	return err
}
