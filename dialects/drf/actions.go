package drf

import (
	"context"
	"net/http"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/dialects/internal/route"
	"github.com/authcompat/authcompat/profiles"
)

// loginAction is ObtainAuthToken.post, or knox's LoginView with
// AuthTokenSerializer (rest_framework/authtoken/serializers.py).
type loginAction struct{}

func (loginAction) do(v *view, c call) result {
	in, refusal := v.parse(c)
	if refusal != nil {
		return *refusal
	}
	values, refusal := v.validate(c.context(), in, false)
	if refusal != nil {
		return *refusal
	}
	username, password := values[profiles.RoleUsername], values[profiles.RolePassword]
	if username == "" || password == "" {
		return *fieldError(nonField, v.message("incomplete"))
	}
	session, err := v.engine.Login(c.context(), v.policy, username, password)
	if err == nil {
		data := reply.OfSession(session)
		return v.good(c, &data)
	}
	kind := core.KindOf(err)
	key := "credentials"
	switch {
	case kind == core.KindUserInactive && v.profile.Rules.InactiveLogin == profiles.Told:
		key = "inactive"
	case kind != core.KindUserInactive && kind != core.KindInvalidCredentials:
		return v.trouble(err)
	}
	res := fieldError(nonField, v.message(key))
	res.outcome = kind.String()
	return *res
}

// registerAction is a CreateAPIView over a ModelSerializer of the user.
type registerAction struct{}

func (registerAction) do(v *view, c call) result {
	in, refusal := v.parse(c)
	if refusal != nil {
		return *refusal
	}
	values, refusal := v.validate(c.context(), in, true)
	if refusal != nil {
		return *refusal
	}
	field, _ := v.endpoint.Field(profiles.RoleUsername)
	limit := max(field.MaxLength, maxUsername)
	session, err := v.register(c.context(), limit, core.Registration{
		Username: values[profiles.RoleUsername],
		Email:    values[profiles.RoleEmail],
		Password: values[profiles.RolePassword],
	})
	if err == nil {
		data := reply.OfSession(session)
		return v.good(c, &data)
	}
	kind := core.KindOf(err)
	switch kind {
	case core.KindUsernameTaken:
		// The genuine server finds a twin in another spelling, or one that was
		// faster, in the database alone, and fails.
		refusal = fieldError(field.Name, v.message("username_taken"))
	case core.KindInvalidUser:
		refusal = fieldError(field.Name, v.message("max_length", "max", strconv.Itoa(limit)))
	default:
		return v.trouble(err)
	}
	refusal.outcome = kind.String()
	return *refusal
}

// maxUsername is how many code points of a username AbstractUser's column holds
// (django/contrib/auth/models.py 3.2). The engine holds more, for other models.
const maxUsername = 150

// register is the engine's with a lower limit, and like the engine's counts what
// is stored: a name can be longer once it is normalised.
func (a *API) register(ctx context.Context, limit int, r core.Registration) (core.Session, error) {
	if a.policy.NormalizeUsername {
		r.Username = norm.NFKC.String(r.Username)
	}
	if utf8.RuneCountInString(r.Username) > limit {
		return core.Session{}, &core.Error{Kind: core.KindInvalidUser}
	}
	return a.engine.Register(ctx, a.policy, r)
}

// logoutAction ends the token that the request came with; its body is not read.
type logoutAction struct{}

func (logoutAction) do(v *view, c call) result {
	err := v.engine.Logout(c.context(), *c.session)
	if err != nil && core.KindOf(err) == core.KindTokenUnknown {
		return v.denied(core.KindTokenUnknown.String(), "token_invalid")
	}
	if err != nil {
		return v.trouble(err)
	}
	return v.good(c, &reply.Data{})
}

// logoutAllAction ends all tokens of the user.
type logoutAllAction struct{}

func (logoutAllAction) do(v *view, c call) result {
	if err := v.engine.LogoutAll(c.context(), *c.session); err != nil {
		return v.trouble(err)
	}
	return v.good(c, &reply.Data{})
}

// accountAction shows the user whom the path names to any authenticated one.
type accountAction struct{}

func (accountAction) do(v *view, c call) result {
	user := c.session.User
	if name := route.Username(v.endpoint.Path, c.request); name != user.Username {
		var err error
		user, err = v.engine.User(c.request.Context(), name)
		if err != nil && core.KindOf(err) == core.KindUserUnknown {
			return v.detail(http.StatusNotFound, "not_found", v.message("not_found"))
		}
		if err != nil {
			return v.trouble(err)
		}
	}
	return v.good(c, &reply.Data{User: user, Token: c.session.Token})
}

// otherAction is a path behind a token that leads nowhere.
type otherAction struct{}

func (otherAction) do(v *view, _ call) result {
	return v.detail(http.StatusNotFound, "not_found", v.message("not_found"))
}

// good is the endpoint's reply.
func (v *view) good(c call, d *reply.Data) result {
	res := result{status: v.endpoint.Reply.Status, outcome: "ok"}
	if v.reply != nil {
		c.room.body = v.reply.Append(c.room.body[:0], d)
		res.body = c.room.body
	}
	return res
}
