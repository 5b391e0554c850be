package drf

import (
	"context"
	"net/http"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/template"
)

// validated are the values of a valid body by role, without the fields that were not
// sent.
type validated map[profiles.Role]string

// serializer is what is asked of a body, and then what it says.
type serializer struct {
	*view
	unique  bool       // usernames and addresses of others are errors
	partial bool       // a field that is not sent is no error
	of      *core.User // who is changed, and may have the same username and address; nil: nobody
	caller  *core.User // whose current password is asked for
	values  validated
	// attributes are those that were sent; nil: null.
	attributes map[string]*string
	// confirmation is the caller's, if a current password was sent.
	confirmation *core.Confirmation
}

// read parses a request's body, and validates it.
func (s *serializer) read(c call) *result {
	in, refusal := s.parse(c)
	if refusal != nil {
		return refusal
	}
	return s.validate(c.context(), in)
}

// validate checks a body against the endpoint's fields as Serializer.is_valid
// does (rest_framework/serializers.py): it checks all fields, and gives the errors in
// the order of the fields.
func (s *serializer) validate(ctx context.Context, in input) *result {
	if refusal := s.object(in); refusal != nil {
		return refusal
	}
	s.values = make(validated, len(s.endpoint.Fields))
	failures := new(pyjson.Object)
	for _, f := range s.endpoint.Fields {
		if f.ReadOnly || f.Role.ReadOnly() {
			continue
		}
		messages, refusal := s.field(ctx, in, f)
		if refusal != nil {
			return refusal
		}
		if messages != nil {
			failures.Set(f.Name, messages)
		}
	}
	if failures.Len() > 0 {
		return badRequest(failures)
	}
	return nil
}

// field reads one field, and gives its errors.
func (s *serializer) field(ctx context.Context, in input, f profiles.Field) (messages []any, refusal *result) {
	raw, sent := in.field(f)
	if !sent && s.partial {
		return nil, nil
	}
	if f.Role == profiles.RoleAttribute && (f.Type.Type != template.TypeText || sent && raw == nil && f.Type.Null) {
		return s.typed(f, raw, sent, in.form != nil), nil
	}
	if f.AnyText && f.Role != profiles.RoleEmail {
		s.values[f.Role], _ = raw.(string)
		return nil, nil
	}
	text, set, messages := s.convert(f, raw, sent)
	if !set || messages != nil {
		return messages, nil
	}
	if word, isText := raw.(string); isText && s.rawLink(f.Role) {
		text = word
	}
	messages, err := s.check(ctx, f, text)
	if err != nil {
		return nil, s.engineError(err)
	}
	switch {
	case messages != nil:
		return messages, nil
	case s.endpoint.Action == profiles.Register:
		messages = s.fieldPassword(f, text)
	case f.Role == profiles.RoleCurrentPassword:
		messages, refusal = s.confirm(ctx, text)
	}
	if messages == nil && refusal == nil {
		s.keep(f, &text)
	}
	return messages, refusal
}

// rawLink tells whether the link is compared with what was sent, white space and all: djoser's serializers check their fields
// and then read initial_data (djoser/serializers.py 2.1, UidAndTokenSerializer), those of dj-rest-auth what is valid.
func (s *serializer) rawLink(r profiles.Role) bool {
	return (r == profiles.RoleUID || r == profiles.RoleToken) && s.profile.Passwords.Stage != profiles.StageField
}

// keep keeps the value of a field; nil: null.
func (s *serializer) keep(f profiles.Field, text *string) {
	if f.Role != profiles.RoleAttribute {
		if !f.Ignored {
			s.values[f.Role] = *text
		}
		return
	}
	if s.attributes == nil {
		s.attributes = make(map[string]*string)
	}
	s.attributes[f.Attribute] = text
}

// given are the attributes that a new user has.
func (s *serializer) given() map[string]string {
	given := make(map[string]string, len(s.attributes))
	for name, text := range s.attributes {
		if text != nil {
			given[name] = *text
		}
	}
	return given
}

// confirm asks whether a text is the password of the caller (validate_current_password in
// djoser/serializers.py 2.1, validate_old_password in dj_rest_auth/serializers.py 5.0).
func (s *serializer) confirm(ctx context.Context, password string) (messages []any, refusal *result) {
	c, err := s.engine.ConfirmPassword(ctx, s.policy, *s.caller, password)
	switch kind := core.KindOf(err); {
	case err == nil:
		s.confirmation = &c
	case kind == core.KindInvalidCredentials:
		messages = []any{s.message("current_password")}
	case kind == core.KindUserUnknown:
		refusal = s.unauthorized("token_unknown", s.message("token_invalid"))
	default:
		refusal = s.engineError(err)
	}
	return messages, refusal
}

// username gives what a request's body names its user by, as the engine would get it, and the
// policy under which the engine reads it; empty: none.
func (v *view) username(r *http.Request) (name string, p core.Policy) {
	in, refusal := v.parse(call{request: r})
	if refusal != nil || v.object(in) != nil {
		return "", v.policy
	}
	values := make(validated)
	for _, f := range v.endpoint.Fields {
		if v.endpoint.Action == profiles.Register && f.Role != profiles.RoleUsername || f.Ignored {
			continue
		}
		raw, sent := in.field(f)
		values[f.Role], _, _ = v.convert(f, raw, sent)
	}
	return v.named(values)
}

// object refuses a body that is not an object (Serializer.to_internal_value and
// Field.validate_empty_values).
func (v *view) object(in input) *result {
	if in.form != nil {
		return nil
	}
	if in.json == nil {
		if v.profile.Rules.NullBody == profiles.NullBodyList {
			return badRequest([]any{v.message("no_data")})
		}
		return fieldError(v.profile.Errors.NonField, v.message("no_data"))
	}
	if _, ok := in.json.(*pyjson.Object); !ok {
		return fieldError(v.profile.Errors.NonField, v.message("not_object", "type", pyjson.TypeName(in.json)))
	}
	return nil
}
