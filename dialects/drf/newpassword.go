package drf

import (
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
)

// fieldPassword asks the validators about a new password with its field, where a serializer does
// so (validate_password1 in dj_rest_auth/registration/serializers.py 5.0): of no user.
func (v *view) fieldPassword(f profiles.Field, password string) []any {
	if f.Role != profiles.RolePassword || v.profile.Passwords.Stage != profiles.StageField {
		return nil
	}
	return v.passwords.Check(password, f.Name, nil)
}

// newPassword is Serializer.validate of a registration: it asks the validators what they think
// of the password of such a user, and compares the password with the one that was typed again.
// djoser asks first and shows the answers at the password (djoser/serializers.py 2.1,
// UserCreatePasswordRetypeSerializer); dj-rest-auth compares first, and what it finds when it
// saves the user is no field's.
func (s *serializer) newPassword() *result {
	v, values := s.view, s.values
	of := attributesOf(values[profiles.RoleUsername], values[profiles.RoleEmail], func(name string) string { return s.given()[name] })
	field, asked := v.endpoint.Field(profiles.RolePassword)
	if !asked {
		return nil
	}
	password := values[profiles.RolePassword]
	sentences := v.passwords.Check(password, field.Name, of)
	again, sent := values[profiles.RolePasswordAgain]
	differ := sent && again != password
	byField := v.profile.Passwords.Stage == profiles.StageField
	switch {
	case sentences != nil && !byField:
		return badRequest(new(pyjson.Object).Set(field.Name, sentences))
	case differ:
		return fieldError(v.profile.Errors.NonField, v.message("mismatch"))
	case sentences != nil:
		return badRequest(new(pyjson.Object).Set(v.profile.Errors.NonField, sentences))
	}
	return nil
}
