package drf

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
)

// validated are the values of a valid body by role, without the fields that were not
// sent.
type validated map[profiles.Role]string

// validate checks a body against the endpoint's fields as Serializer.is_valid
// does (rest_framework/serializers.py): it checks all fields, and gives the errors in
// the order of the fields. With unique, a username that is taken is an error.
func (v *view) validate(ctx context.Context, in input, unique bool) (validated, *result) {
	if refusal := v.object(in); refusal != nil {
		return nil, refusal
	}
	values := make(validated, len(v.endpoint.Fields))
	failures := new(pyjson.Object)
	for _, f := range v.endpoint.Fields {
		if f.Role == profiles.RoleID {
			continue
		}
		raw, sent := in.field(f)
		text, set, messages := v.convert(f, raw, sent)
		if set && messages == nil {
			var err error
			if messages, err = v.check(ctx, f, text, unique); err != nil {
				return nil, v.engineError(err)
			}
			if unique && messages == nil {
				messages = v.fieldPassword(f, text)
			}
		}
		if messages != nil {
			failures.Set(f.Name, messages)
		} else if set {
			values[f.Role] = text
		}
	}
	if failures.Len() > 0 {
		return nil, badRequest(failures)
	}
	return values, nil
}

// username gives the username in a request's body as the engine would get it; empty: none.
func (v *view) username(r *http.Request) string {
	in, refusal := v.parse(call{request: r})
	if refusal != nil || v.object(in) != nil {
		return ""
	}
	f, _ := v.endpoint.Field(profiles.RoleUsername)
	raw, sent := in.field(f)
	text, _, _ := v.convert(f, raw, sent)
	return text
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
			return "", false, []any{v.message(notString(f))}
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

// notString gives the key of the message for a value of the wrong type: EmailField
// overrides CharField's.
func notString(f profiles.Field) string {
	if f.Role == profiles.RoleEmail {
		return "email_invalid"
	}
	return "not_string"
}

// check runs the validators of a field in the order of a ModelSerializer, and gives the
// messages of all that fail (rest_framework/fields.py, Field.run_validators).
func (v *view) check(ctx context.Context, f profiles.Field, text string, unique bool) (messages []any, err error) {
	fail := func(key string, pairs ...string) { messages = append(messages, v.message(key, pairs...)) }
	if f.Role == profiles.RoleUsername {
		if f.Characters != profiles.CharactersAny && !django.ValidUsername(text, f.Characters) {
			fail("username_characters")
		}
		if unique {
			taken, err := v.engine.UsernameTaken(ctx, v.policy, text)
			if err != nil {
				return nil, err
			}
			if taken {
				fail("username_taken")
			}
		}
	}
	if f.MaxLength > 0 && pyjson.Len(text) > f.MaxLength {
		fail("max_length", "max", strconv.Itoa(f.MaxLength))
	}
	if v.profile.Rules.NUL == profiles.Reject && strings.ContainsRune(text, 0) {
		fail("nul")
	}
	if v.profile.Rules.Surrogates == profiles.Reject {
		if r, found := pyjson.FirstSurrogate(text); found {
			fail("surrogate", "code", fmt.Sprintf("%X", r))
		}
	}
	if f.Role == profiles.RoleEmail && text != "" && !v.emails.Valid(text) {
		fail("email_invalid")
	}
	return messages, nil
}
