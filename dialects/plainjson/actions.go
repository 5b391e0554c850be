package plainjson

import (
	"net/http"
	"strconv"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// check looks at a text's length and characters.
func (a *API) check(f profiles.Field, text string) *wire.Reply {
	switch {
	case f.MaxLength > 0 && pyjson.Len(text) > f.MaxLength:
		return a.wrong(f, "max_length", "max", strconv.Itoa(f.MaxLength))
	case f.Role == profiles.RoleUsername && f.Characters != profiles.CharactersAny && !django.ValidUsername(text, f.Characters):
		return a.wrong(f, "username_characters")
	case f.Role == profiles.RoleEmail && text != "" && !a.emails.Valid(text):
		return a.wrong(f, "email_invalid")
	}
	return nil
}

// register makes a user; the reply shows the first token.
func (a *API) register(w http.ResponseWriter, r *http.Request, e profiles.Endpoint) wire.Reply {
	object, refusal := a.object(w, r)
	if refusal != nil {
		return *refusal
	}
	values, refusal := a.values(object, e.Fields)
	if refusal != nil {
		return *refusal
	}
	session, err := a.engine.Register(r.Context(), a.policy, core.Registration{
		Username: values[profiles.RoleUsername],
		Email:    values[profiles.RoleEmail],
		Password: values[profiles.RolePassword],
	})
	if err == nil {
		return a.good(e, reply.OfSession(session))
	}
	kind := core.KindOf(err)
	field, _ := e.Field(profiles.RoleUsername)
	switch kind {
	case core.KindUsernameTaken:
		refusal = a.wrong(field, "username_taken")
	case core.KindInvalidUser:
		refusal = a.wrong(field, "username_characters")
	default:
		return a.trouble(err)
	}
	refusal.Outcome = kind.String()
	return *refusal
}

// login checks a password; a token header means nothing to it.
func (a *API) login(w http.ResponseWriter, r *http.Request, e profiles.Endpoint) wire.Reply {
	object, refusal := a.object(w, r)
	if refusal != nil {
		return *refusal
	}
	values, refusal := a.values(object, e.Fields)
	if refusal != nil {
		return *refusal
	}
	session, err := a.engine.Login(r.Context(), a.policy, values[profiles.RoleUsername], values[profiles.RolePassword])
	if err == nil {
		return a.good(e, reply.OfSession(session))
	}
	switch kind := core.KindOf(err); kind {
	case core.KindInvalidCredentials:
		return a.failed(http.StatusUnauthorized, kind.String(), "credentials")
	case core.KindUserInactive:
		return a.failed(http.StatusUnauthorized, kind.String(), "inactive")
	}
	return a.trouble(err)
}

// logout ends the token that the request came with; its body is not read.
func (a *API) logout(_ http.ResponseWriter, r *http.Request, e profiles.Endpoint) wire.Reply {
	session, refusal := a.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	if err := a.engine.Logout(r.Context(), session); err != nil {
		return a.refused(err)
	}
	return a.good(e, reply.OfSession(session))
}

// logoutAll ends all tokens of the user.
func (a *API) logoutAll(_ http.ResponseWriter, r *http.Request, e profiles.Endpoint) wire.Reply {
	session, refusal := a.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	if err := a.engine.LogoutAll(r.Context(), session); err != nil {
		return a.refused(err)
	}
	return a.good(e, reply.OfSession(session))
}

// account shows the user whom the path names to any authenticated one.
func (a *API) account(_ http.ResponseWriter, r *http.Request, e profiles.Endpoint) wire.Reply {
	session, refusal := a.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	user, err := a.engine.User(r.Context(), route.Username(e.Path, r))
	switch {
	case err == nil:
		return a.good(e, reply.Data{User: user, Token: session.Token})
	case core.KindOf(err) == core.KindUserUnknown:
		return a.failed(http.StatusNotFound, "not_found", "not_found")
	}
	return a.trouble(err)
}
