package drf

import (
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/profiles"
)

// setPasswordAction changes the caller's password (djoser/serializers.py 2.1,
// SetPasswordSerializer; dj_rest_auth/serializers.py 5.0, PasswordChangeSerializer). The token of
// the request stays, unless the endpoint ends all of them.
type setPasswordAction struct{}

func (setPasswordAction) do(v *view, c call) result {
	in, refusal := v.parse(c)
	if refusal != nil {
		return *refusal
	}
	user := c.session.User
	s := serializer{view: v, caller: &user}
	if refusal := s.validate(c.context(), in); refusal != nil {
		return *refusal
	}
	if refusal := v.changedPassword(s.values, &user); refusal != nil {
		return *refusal
	}
	if s.confirmation == nil {
		confirmation, err := v.engine.Unconfirmed(c.context(), user, user)
		if err != nil {
			return *v.accountError(err)
		}
		s.confirmation = &confirmation
	}
	end := core.TokenEnd{All: v.endpoint.Logout}
	if _, err := v.engine.ChangePassword(c.context(), v.policy, *s.confirmation, s.values[profiles.RolePassword], end); err != nil {
		return *v.accountError(err)
	}
	return v.tell(c, profiles.SendPasswordChanged, core.MailPasswordChanged, user, v.success(c, &reply.Data{User: user, Token: c.session.Token}))
}

// changedPassword asks the validators about the new password of a user who is there already, and
// compares it with the one that was typed again. djoser asks first, and shows the answers at the
// password; dj-rest-auth compares first, and shows all of it where the password is typed again,
// as Django's SetPasswordForm (django/contrib/auth/forms.py). of is nil for a user whom the
// validators are not told of.
func (v *view) changedPassword(values validated, of *core.User) *result {
	var attributes []validation.Attribute
	if of != nil {
		attributes = attributesOf(of.Username, of.Email, func(name string) string { return of.Attributes[name] })
	}
	field, _ := v.endpoint.Field(profiles.RolePassword)
	password := values[profiles.RolePassword]
	sentences := v.passwords.Check(password, field.Name, attributes)
	again, sent := values[profiles.RolePasswordAgain]
	differ := sent && again != password
	if v.profile.Passwords.Stage == profiles.StageField {
		at := field
		if repeated, ok := v.endpoint.Field(profiles.RolePasswordAgain); ok {
			at = repeated
		}
		if differ {
			sentences = []any{v.message("change_mismatch")}
		}
		if sentences != nil {
			return badRequest(new(pyjson.Object).Set(at.Name, sentences))
		}
		return nil
	}
	switch {
	case sentences != nil:
		return badRequest(new(pyjson.Object).Set(field.Name, sentences))
	case differ:
		return fieldError(v.profile.Errors.NonField, v.message("change_mismatch"))
	}
	return nil
}

// attributesOf gives what a password must not be like.
func attributesOf(username, email string, attribute func(name string) string) []validation.Attribute {
	return validation.Attributes(username, attribute("first_name"), attribute("last_name"), email)
}
