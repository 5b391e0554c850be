package plainjson

import (
	"context"
	"net/http"
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/adopt"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// check checks a text's length and characters.
func (a *API) check(f profiles.Field, text string) *wire.Reply {
	switch {
	case f.MaxLength > 0 && pyjson.Len(text) > f.MaxLength:
		return a.fieldError(f, "max_length", "max", strconv.Itoa(f.MaxLength))
	case f.Role == profiles.RoleUsername && f.Characters != profiles.CharactersAny && !django.ValidUsername(text, f.Characters):
		return a.fieldError(f, "username_characters")
	case f.Role == profiles.RoleEmail && text != "" && !a.emails.Valid(text):
		return a.fieldError(f, "email_invalid")
	}
	return nil
}

// register makes a user, and shows the first token.
func (v *view) register(w http.ResponseWriter, r *http.Request) wire.Reply {
	values, refusal := v.read(w, r)
	if refusal != nil {
		return *refusal
	}
	of := core.User{Username: values[profiles.RoleUsername], Email: values[profiles.RoleEmail]}
	if refusal := v.newPassword(values, of); refusal != nil {
		return *refusal
	}
	session, err := v.engine.Register(r.Context(), v.policy, core.Registration{
		Username: values[profiles.RoleUsername],
		Email:    values[profiles.RoleEmail],
		Password: values[profiles.RolePassword],
		NoToken:  !v.endpoint.ShowsToken(), // nobody would ever know it
	})
	if err != nil {
		return *v.engineError(err)
	}
	return v.success(reply.OfSession(session))
}

// newPassword refuses a password that was not typed again, or else the first thing that the
// validators find wrong with it as that of a user.
func (v *view) newPassword(values map[profiles.Role]string, of core.User) *wire.Reply {
	again, _ := v.endpoint.Field(profiles.RolePasswordAgain)
	if typed, sent := values[profiles.RolePasswordAgain]; sent && typed != values[profiles.RolePassword] {
		return v.fieldError(again, "mismatch")
	}
	field, _ := v.endpoint.Field(profiles.RolePassword)
	if sentences := v.passwords.Check(values[profiles.RolePassword], field.Name, newpassword.Of(of)); sentences != nil {
		return v.sentence(http.StatusBadRequest, "invalid", sentences[0].(string))
	}
	return nil
}

// login checks a password. It ignores a token header.
func (v *view) login(w http.ResponseWriter, r *http.Request) wire.Reply {
	values, refusal := v.read(w, r)
	if refusal != nil {
		return *refusal
	}
	session, adopted, err := adopt.Login(r.Context(), v.engine, v.policy, v.endpoint, values[profiles.RoleUsername], values[profiles.RolePassword])
	switch {
	case err != nil:
		return *v.loginError(err)
	case adopted != nil:
		return *adopted
	}
	return v.success(reply.OfSession(session))
}

// logout ends the request's own token. The body is not read.
func (v *view) logout(w http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	if err := v.engine.Logout(r.Context(), session); err != nil {
		return *v.engineError(err)
	}
	return v.success(reply.OfSession(session))
}

// logoutAll ends all tokens of the user.
func (v *view) logoutAll(w http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	if err := v.engine.LogoutAll(r.Context(), session); err != nil {
		return *v.engineError(err)
	}
	return v.success(reply.OfSession(session))
}

// account shows the user whom the path names, to any user with a token. Where that is an id, it
// has to be the caller's own.
func (v *view) account(_ http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	user := session.User
	value, isID := route.Variable(v.endpoint.Path, r)
	switch {
	case value == "": // the caller
	case isID && value != strconv.FormatInt(user.ID, 10):
		return *v.engineError(&core.Error{Kind: core.KindUserUnknown})
	case !isID:
		var err error
		if user, err = v.engine.User(r.Context(), value); err != nil {
			return *v.engineError(err)
		}
	}
	return v.success(reply.Data{User: user, Token: session.Token})
}

// setPassword changes the caller's password. The current one is looked at first, if the API asks for
// it, as such views do before they look at the new one.
func (v *view) setPassword(w http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	values, refusal := v.read(w, r)
	if refusal != nil {
		return *refusal
	}
	confirmation, err := v.confirm(r.Context(), session.User, values)
	if err != nil {
		return *v.accountError(err)
	}
	if refusal := v.newPassword(values, session.User); refusal != nil {
		return *refusal
	}
	if err := newpassword.Change(r.Context(), v.engine, v.policy, session.User, confirmation, v.still(r), values[profiles.RolePassword], v.endpoint.Logout); err != nil {
		return *v.accountError(err)
	}
	return v.success(reply.Data{User: session.User, Token: session.Token})
}

// confirm checks the current password, if it was sent; nil: it was not.
func (v *view) confirm(ctx context.Context, caller core.User, values map[profiles.Role]string) (*core.Confirmation, error) {
	typed, sent := values[profiles.RoleCurrentPassword]
	if !sent {
		return nil, nil
	}
	confirmation, err := v.engine.ConfirmPassword(ctx, v.policy, caller, typed)
	if err != nil {
		return nil, err
	}
	return &confirmation, nil
}

// deleteAccount removes the caller and all tokens. The body is read for the current password alone.
func (v *view) deleteAccount(w http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	var values map[profiles.Role]string
	if len(v.endpoint.Fields) > 0 {
		if values, refusal = v.read(w, r); refusal != nil {
			return *refusal
		}
	}
	confirmation, err := v.confirm(r.Context(), session.User, values)
	if err != nil {
		return *v.accountError(err)
	}
	confirmed, err := v.engine.Confirmed(r.Context(), session.User, session.User, confirmation, v.still(r))
	if err == nil {
		err = v.engine.DeleteAccount(r.Context(), v.policy, confirmed)
	}
	if err != nil {
		return *v.accountError(err)
	}
	return v.success(reply.Data{})
}
