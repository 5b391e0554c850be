package plainjson

import (
	"context"
	"net/http"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

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
func (v *view) register(w http.ResponseWriter, r *http.Request) wire.Reply {
	object, refusal := v.object(w, r)
	if refusal != nil {
		return *refusal
	}
	values, refusal := v.values(object, v.endpoint.Fields)
	if refusal != nil {
		return *refusal
	}
	field, _ := v.endpoint.Field(profiles.RoleUsername)
	session, err := v.enter(wire.Context(w, r), max(field.MaxLength, maxUsername), core.Registration{
		Username: values[profiles.RoleUsername],
		Email:    values[profiles.RoleEmail],
		Password: values[profiles.RolePassword],
	})
	if err == nil {
		return v.good(reply.OfSession(session))
	}
	kind := core.KindOf(err)
	switch kind {
	case core.KindUsernameTaken:
		refusal = v.wrong(field, "username_taken")
	case core.KindInvalidUser:
		refusal = v.wrong(field, "username_characters")
	default:
		return v.trouble(err)
	}
	refusal.Outcome = kind.String()
	return *refusal
}

// maxUsername is how many code points of a username AbstractUser's column holds
// (django/contrib/auth/models.py 3.2). The engine holds more, for other models.
const maxUsername = 150

// enter is the engine's Register with a lower limit, and like it counts what is
// stored: a name can be longer once it is normalised.
func (a *API) enter(ctx context.Context, limit int, r core.Registration) (core.Session, error) {
	if a.policy.NormalizeUsername {
		r.Username = norm.NFKC.String(r.Username)
	}
	if utf8.RuneCountInString(r.Username) > limit {
		return core.Session{}, &core.Error{Kind: core.KindInvalidUser}
	}
	return a.engine.Register(ctx, a.policy, r)
}

// login checks a password; a token header means nothing to it.
func (v *view) login(w http.ResponseWriter, r *http.Request) wire.Reply {
	object, refusal := v.object(w, r)
	if refusal != nil {
		return *refusal
	}
	values, refusal := v.values(object, v.endpoint.Fields)
	if refusal != nil {
		return *refusal
	}
	session, err := v.engine.Login(wire.Context(w, r), v.policy, values[profiles.RoleUsername], values[profiles.RolePassword])
	if err == nil {
		return v.good(reply.OfSession(session))
	}
	switch kind := core.KindOf(err); kind {
	case core.KindInvalidCredentials:
		return v.failed(http.StatusUnauthorized, kind.String(), "credentials")
	case core.KindUserInactive:
		return v.failed(http.StatusUnauthorized, kind.String(), "inactive")
	}
	return v.trouble(err)
}

// logout ends the token that the request came with; its body is not read.
func (v *view) logout(w http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	if err := v.engine.Logout(wire.Context(w, r), session); err != nil {
		return v.refused(err)
	}
	return v.good(reply.OfSession(session))
}

// logoutAll ends all tokens of the user.
func (v *view) logoutAll(w http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	if err := v.engine.LogoutAll(wire.Context(w, r), session); err != nil {
		return v.refused(err)
	}
	return v.good(reply.OfSession(session))
}

// account shows the user whom the path names to any authenticated one.
func (v *view) account(_ http.ResponseWriter, r *http.Request) wire.Reply {
	session, refusal := v.authenticate(r)
	if refusal != nil {
		return *refusal
	}
	user, err := v.engine.User(r.Context(), route.Username(v.endpoint.Path, r))
	switch {
	case err == nil:
		return v.good(reply.Data{User: user, Token: session.Token})
	case core.KindOf(err) == core.KindUserUnknown:
		return v.failed(http.StatusNotFound, "not_found", "not_found")
	}
	return v.trouble(err)
}
