package drf

import (
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects/internal/newpassword"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/dialects/internal/reply"
	"github.com/authcompat/authcompat/profiles"
)

// setPasswordAction changes the caller's password (djoser/serializers.py 2.1,
// SetPasswordSerializer; dj_rest_auth/serializers.py 5.0, PasswordChangeSerializer). The token of
// the request stays, unless the endpoint ends all of them.
type setPasswordAction struct{}

func (setPasswordAction) do(v *view, c call) result {
	user := c.session.User
	s := serializer{view: v, caller: &user}
	if refusal := s.read(c); refusal != nil {
		return *refusal
	}
	if refusal := v.changedPassword(s.values, &user); refusal != nil {
		return *refusal
	}
	if err := newpassword.Change(c.context(), v.engine, v.policy, user, s.confirmation, v.still(c, nil), s.values[profiles.RolePassword], v.endpoint.Logout); err != nil {
		return *v.accountError(err)
	}
	return v.tell(c, core.MailPasswordChanged, user, v.success(c, &reply.Data{User: user, Token: c.session.Token}))
}

// fieldPassword asks the validators about a new password with its field, where a serializer does
// so (validate_password1 in dj_rest_auth/registration/serializers.py 5.0): of no user.
func (v *view) fieldPassword(f profiles.Field, password string) []any {
	if f.Role != profiles.RolePassword || v.profile.Passwords.Stage != profiles.StageField {
		return nil
	}
	return v.passwords.Check(password, f.Name, nil)
}

// newPassword is Serializer.validate of a registration, whose answers dj-rest-auth gets when it
// saves the user: they are no field's (UserCreatePasswordRetypeSerializer in
// djoser/serializers.py 2.1; dj_rest_auth/registration/serializers.py 5.0).
func (s *serializer) newPassword() *result {
	if _, asked := s.endpoint.Field(profiles.RolePassword); !asked {
		return nil
	}
	of := core.User{Username: s.values[profiles.RoleUsername], Email: s.values[profiles.RoleEmail], Attributes: s.given()}
	return s.passwordErrors(s.values, newpassword.Of(of), "mismatch", s.profile.Errors.NonField)
}

// changedPassword checks the new password of a user who is there already, whose answers
// dj-rest-auth shows where the password is typed again, as Django's SetPasswordForm
// (django/contrib/auth/forms.py). of is nil for a user whom the validators are not told of.
func (v *view) changedPassword(values validated, of *core.User) *result {
	var attributes []validation.Attribute
	if of != nil {
		attributes = newpassword.Of(*of)
	}
	at, again := v.endpoint.Field(profiles.RolePasswordAgain)
	if !again {
		at, _ = v.endpoint.Field(profiles.RolePassword)
	}
	return v.passwordErrors(values, attributes, "change_mismatch", at.Name)
}

// passwordErrors asks the validators about a new password, and compares it with the one that was
// typed again: mismatch is the key of what is said if they differ. djoser asks first, and shows
// the answers at the password; dj-rest-auth compares first, and shows all of it at late.
func (v *view) passwordErrors(values validated, of []validation.Attribute, mismatch, late string) *result {
	field, _ := v.endpoint.Field(profiles.RolePassword)
	password := values[profiles.RolePassword]
	sentences := v.passwords.Check(password, field.Name, of)
	again, sent := values[profiles.RolePasswordAgain]
	differ := sent && again != password
	byField := v.profile.Passwords.Stage == profiles.StageField
	switch {
	case sentences != nil && !byField:
		return badRequest(new(pyjson.Object).Set(field.Name, sentences))
	case differ && !byField:
		return fieldError(v.profile.Errors.NonField, v.message(mismatch))
	case differ:
		return fieldError(late, v.message(mismatch))
	case sentences != nil:
		return badRequest(new(pyjson.Object).Set(late, sentences))
	}
	return nil
}
