package formjson

import (
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/core/spelling"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/pyjson"
	"github.com/authcompat/authcompat/profiles"
)

// cleaned are the values of the fields that passed, by role.
type cleaned map[profiles.Role]string

// clean cleans each field on its own (django/forms/fields.py, Field.clean) and
// gathers the errors in the order in which they arise.
func (a *API) clean(fields []profiles.Field, form *django.Form) (cleaned, *pyjson.Object) {
	values, failures := make(cleaned, len(fields)), new(pyjson.Object)
	for _, f := range fields {
		text, _ := form.Field(f)
		if f.Role == profiles.RoleAccept {
			if f.Required && !checked(text) {
				failures.Set(f.Name, []any{a.message("required")})
			}
			continue
		}
		text = a.toPython(f, text)
		if messages := a.validators(f, text); messages != nil {
			failures.Set(f.Name, messages)
			continue
		}
		values[f.Role] = text
	}
	return values, failures
}

// checked tells whether the value of a checkbox means yes: absent, empty and
// "false" mean no (django/forms/widgets.py, CheckboxInput.value_from_datadict).
func checked(text string) bool {
	return text != "" && !strings.EqualFold(text, "false")
}

// toPython strips a text, and normalises a username to NFKC unless it is too long
// already (CharField.to_python, UsernameField.to_python since 3.2.23).
func (a *API) toPython(f profiles.Field, text string) string {
	if f.Trim {
		text = spelling.Strip(text)
	}
	if f.Lower {
		text = strings.ToLower(text)
	}
	long := f.MaxLength > 0 && utf8.RuneCountInString(text) > f.MaxLength
	if f.Role == profiles.RoleUsername && a.policy.NormalizeUsername && !long {
		text = spelling.Normalize(text)
	}
	return text
}

// maxEmail is the limit of an EmailField without one of its own (django/forms/fields.py
// since 3.2.20).
const maxEmail = 320

// validators gives the errors of a field: that it is missing, or else those of all
// its validators.
func (a *API) validators(f profiles.Field, text string) (messages []any) {
	fail := func(message string) { messages = append(messages, message) }
	if text == "" {
		if f.Required {
			fail(a.message("required"))
		}
		return messages
	}
	limit := f.MaxLength
	if f.Role == profiles.RoleEmail {
		if !a.emails.Valid(text) {
			fail(a.message("email_invalid"))
		}
		if limit == 0 {
			limit = maxEmail
		}
	}
	if n := utf8.RuneCountInString(text); limit > 0 && n > limit {
		fail(a.tooLong(limit, n))
	}
	if strings.ContainsRune(text, 0) {
		fail(a.message("nul"))
	}
	return messages
}
