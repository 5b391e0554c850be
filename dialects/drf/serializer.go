package drf

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/internal/django"
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

// convert turns a raw value into text, or gives the errors
// (rest_framework/fields.py, CharField.run_validation and to_internal_value). set is
// false for an optional field that was not sent.
func (v *view) convert(f profiles.Field, raw any, sent bool) (text string, set bool, messages []any) {
	rules := v.profile.Rules
	if rules.Blank == profiles.BlankMissing {
		return v.coerce24(f, raw, sent)
	}
	if !sent {
		if f.Required {
			messages = []any{v.message("required")}
		}
		return "", false, messages
	}
	text, isText := raw.(string)
	if v.blank(f, raw) {
		if !f.Blank {
			return "", false, []any{v.message("blank")}
		}
		return "", true, nil
	}
	switch {
	case raw == nil:
		return "", false, []any{v.message("null")}
	case !isText:
		if !v.coercible(raw) {
			return "", false, []any{v.message(v.notString(f))}
		}
		text = str(raw)
	}
	if f.Trim {
		text = spelling.Strip(text)
	}
	if f.Lower {
		text = strings.ToLower(text)
	}
	return text, true, nil
}

// blank tells whether a raw value counts as empty text, as the name of a file can
// too.
func (v *view) blank(f profiles.Field, raw any) bool {
	text, isText := raw.(string)
	name, isFile := raw.(upload)
	switch {
	case raw == "":
		return true
	case !f.Trim || v.profile.Rules.Blank != profiles.BlankRefused:
		return false
	case isFile:
		text = string(name)
	}
	return (isText || isFile) && spelling.Strip(text) == ""
}

// coerce24 is WritableField.field_from_native of 2.4: null is empty text,
// any other value becomes text, and empty text counts as missing.
func (v *view) coerce24(f profiles.Field, raw any, sent bool) (text string, set bool, messages []any) {
	if sent && raw != nil {
		text = str(raw)
	}
	if text == "" && f.Required {
		return "", false, []any{v.message("required")}
	}
	return text, sent, nil
}

// coercible tells whether a value that is not text is converted to it.
func (v *view) coercible(raw any) bool {
	switch raw.(type) {
	case pyjson.Int, float64:
		return true
	}
	return v.profile.Rules.Coercion == profiles.CoerceAll
}

// str is Python's str of a raw value.
func str(raw any) string {
	if name, ok := raw.(upload); ok {
		return string(name)
	}
	return pyjson.Str(raw)
}

// isEmail tells whether a field of an action is REST framework's EmailField: one of the role email, or where
// users have no other name, the name that a user gets. Who logs in may send any.
func (a *API) isEmail(at profiles.Action, f profiles.Field) bool {
	named := f.Role == profiles.RoleUsername && a.profile.Usernames.Email
	return f.Role == profiles.RoleEmail && !f.AnyText || named && at != profiles.Login
}

// notString gives the key of the message for a value of the wrong type: EmailField
// overrides CharField's.
func (v *view) notString(f profiles.Field) string {
	if v.isEmail(v.endpoint.Action, f) {
		return "email_invalid"
	}
	return "not_string"
}

// check runs the validators of a field in the order of a ModelSerializer, and gives the
// messages of all that fail (rest_framework/fields.py, Field.run_validators).
func (s *serializer) check(ctx context.Context, f profiles.Field, text string) (messages []any, err error) {
	named := f.Role == profiles.RoleUsername || f.Role == profiles.RoleEmail
	registers := s.adapted() && s.endpoint.Action == profiles.Register
	if named && !registers {
		if messages, err = s.checkName(ctx, f, text); err != nil {
			return nil, err
		}
	}
	messages = append(messages, s.checkText(f, text)...)
	if messages != nil || !s.adapted() {
		return messages, nil
	}
	// The adapter looks at what the field has accepted, and says the first that is wrong
	// (dj_rest_auth/registration/serializers.py 5.0, validate_username and validate_email).
	if named && registers {
		messages, err = s.checkName(ctx, f, text)
		return messages[:min(len(messages), 1)], err
	}
	// It does not know who changes a name: one's own is taken, too (dj_rest_auth/serializers.py 5.0,
	// UserDetailsSerializer.validate_username).
	if s.endpoint.Action == profiles.Update && f.Role == profiles.RoleUsername {
		taken, err := s.engine.UsernameTaken(ctx, s.policy, text)
		if taken {
			messages = append(messages, s.message("username_taken"))
		}
		return messages, err
	}
	return nil, nil
}

// adapted tells whether the adapter of django-allauth has its say about names and addresses.
func (v *view) adapted() bool { return v.profile.Mails.Links == profiles.LinksAllauth }

// checkName gives what is wrong with a username or an address beside its text.
func (s *serializer) checkName(ctx context.Context, f profiles.Field, text string) (messages []any, err error) {
	taken, key := false, "email_taken"
	if f.Role == profiles.RoleUsername {
		key = "username_taken"
		if f.Characters != profiles.CharactersAny && !django.ValidUsername(text, f.Characters) {
			messages = append(messages, s.message("username_characters"))
		}
	}
	if taken, err = s.taken(ctx, f.Role, text); err != nil {
		return nil, err
	}
	if taken {
		messages = append(messages, s.message(key))
	}
	return messages, nil
}

// checkText gives what is wrong with a text.
func (s *serializer) checkText(f profiles.Field, text string) (messages []any) {
	fail := func(key string, pairs ...string) { messages = append(messages, s.message(key, pairs...)) }
	if f.MaxLength > 0 && pyjson.Len(text) > f.MaxLength {
		fail("max_length", "max", strconv.Itoa(f.MaxLength))
	}
	if text != "" && pyjson.Len(text) < f.MinLength {
		fail("min_length", "min", strconv.Itoa(f.MinLength))
	}
	if s.profile.Rules.NUL == profiles.Reject && strings.ContainsRune(text, 0) {
		fail("nul")
	}
	if s.profile.Rules.Surrogates == profiles.Reject {
		if r, found := pyjson.FirstSurrogate(text); found {
			fail("surrogate", "code", fmt.Sprintf("%X", r))
		}
	}
	if s.isEmail(s.endpoint.Action, f) && text != "" && !s.emails.Valid(text) {
		fail("email_invalid")
	}
	return messages
}

// taken asks whether another user has a username or an address.
func (s *serializer) taken(ctx context.Context, r profiles.Role, text string) (bool, error) {
	if !s.unique {
		return false, nil
	}
	if r == profiles.RoleUsername {
		if s.of != nil && text == s.of.Username {
			return false, nil
		}
		return s.engine.UsernameTaken(ctx, s.policy, text)
	}
	if s.of == nil && s.verifies() && text != "" {
		if verified, err := s.engine.EmailVerified(ctx, text); verified || err != nil {
			return verified, err
		}
	}
	if !s.policy.UniqueEmail {
		return false, nil
	}
	var id int64
	if s.of != nil {
		id = s.of.ID
	}
	return s.engine.EmailTaken(ctx, text, id)
}
