package formjson

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// login is a view over AuthenticationForm.
func (a *API) login(ctx context.Context, v *view, form *django.Form) wire.Reply {
	e := v.endpoint
	values, failures := a.clean(e.Fields, form)
	if failures.Len() > 0 {
		return a.failed(failures, "invalid")
	}
	session, err := a.engine.Login(ctx, a.policy, values[profiles.RoleUsername], values[profiles.RolePassword])
	if err == nil {
		return v.good(session)
	}
	switch kind := core.KindOf(err); kind {
	case core.KindInvalidCredentials, core.KindUserInactive:
		return a.failedAll("credentials", kind.String())
	}
	return a.trouble(err)
}

// signup is a view over a UserCreationForm with an address and an agreement.
func (a *API) signup(ctx context.Context, v *view, form *django.Form) wire.Reply {
	e := v.endpoint
	values, failures := a.clean(e.Fields, form)
	failures = a.compare(e, values, failures)
	if err := a.modelErrors(ctx, e, values, failures); err != nil {
		return a.trouble(err)
	}
	if failures.Len() > 0 {
		return a.failed(failures, "invalid")
	}
	username, _ := e.Field(profiles.RoleUsername)
	session, err := a.register(ctx, max(username.MaxLength, maxUsername), core.Registration{
		Username: values[profiles.RoleUsername],
		Email:    values[profiles.RoleEmail],
		Password: values[profiles.RolePassword],
	})
	if err == nil {
		return v.good(session)
	}
	switch kind := core.KindOf(err); kind {
	case core.KindUsernameTaken:
		// Someone else was faster; the genuine server fails on it.
		failures.Set(username.Name, []any{a.profile.Messages.Format("username_taken")})
		return a.failed(failures, kind.String())
	case core.KindInvalidUser:
		failures.Set(username.Name, []any{a.profile.Messages.Format("username_characters")})
		return a.failed(failures, kind.String())
	}
	return a.trouble(err)
}

// maxUsername is how many code points of a username AbstractUser's column holds
// (django/contrib/auth/models.py 3.2). The engine holds more, for other models.
const maxUsername = 150

// register is the engine's with a lower limit. The form has normalised the name.
func (a *API) register(ctx context.Context, limit int, r core.Registration) (core.Session, error) {
	if utf8.RuneCountInString(r.Username) > limit {
		return core.Session{}, &core.Error{Kind: core.KindInvalidUser}
	}
	return a.engine.Register(ctx, a.policy, r)
}

// compare adds the mismatch of the two passwords where its field stands
// (UserCreationForm.clean_password2, which runs as the field is cleaned).
func (a *API) compare(e profiles.Endpoint, values cleaned, failures *pyjson.Object) *pyjson.Object {
	again, ok := e.Field(profiles.RolePasswordAgain)
	first, second := values[profiles.RolePassword], values[profiles.RolePasswordAgain]
	if !ok || first == "" || second == "" || first == second {
		return failures
	}
	ordered := new(pyjson.Object)
	for _, f := range e.Fields {
		if f.Name == again.Name {
			ordered.Set(f.Name, []any{a.profile.Messages.Format("mismatch")})
		} else if v, failed := failures.Get(f.Name); failed {
			ordered.Set(f.Name, v)
		}
	}
	return ordered
}

// modelErrors adds, after all others, what the model's own validation finds in
// fields that passed the form: a username's characters and the length of an
// address, and then that a username is taken (django/forms/models.py,
// BaseModelForm._post_clean).
func (a *API) modelErrors(ctx context.Context, e profiles.Endpoint, values cleaned, failures *pyjson.Object) error {
	field, _ := e.Field(profiles.RoleUsername)
	name := values[profiles.RoleUsername]
	wrong := name != "" && field.Characters != profiles.CharactersAny && !django.ValidUsername(name, field.Characters)
	if wrong {
		failures.Set(field.Name, []any{a.profile.Messages.Format("username_characters")})
	}
	email, _ := e.Field(profiles.RoleEmail)
	if n := utf8.RuneCountInString(values[profiles.RoleEmail]); n > core.MaxEmail {
		failures.Set(email.Name, []any{a.profile.Messages.Format("max_length", "max", strconv.Itoa(core.MaxEmail), "length", strconv.Itoa(n))})
	}
	if name == "" || wrong {
		return nil
	}
	taken, err := a.engine.UsernameTaken(ctx, name)
	if taken {
		failures.Set(field.Name, []any{a.profile.Messages.Format("username_taken")})
	}
	return err
}
