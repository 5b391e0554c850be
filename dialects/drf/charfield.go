package drf

import (
	"strings"

	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
)

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

// notString gives the key of the message for a value of the wrong type: EmailField
// overrides CharField's.
func (v *view) notString(f profiles.Field) string {
	if v.isEmail(v.endpoint.Action, f) {
		return "email_invalid"
	}
	return "not_string"
}
