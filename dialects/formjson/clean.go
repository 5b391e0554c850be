package formjson

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/authcompat/authcompat/core"
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
		text := ""
		if raw := form.Field(f.Role); raw != nil {
			text = *raw
		}
		if f.Role == profiles.RoleAccept {
			if f.Required && !checked(text) {
				failures.Set(f.Name, []any{a.profile.Messages.Format("required")})
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

// checked is what a CheckboxInput makes of its value (django/forms/widgets.py,
// CheckboxInput.value_from_datadict): absent, empty and "false" are no.
func checked(text string) bool {
	return text != "" && !strings.EqualFold(text, "false")
}

// toPython strips a text and brings a username to NFKC, unless it is too long
// already (CharField.to_python, UsernameField.to_python since 3.2.23).
func (a *API) toPython(f profiles.Field, text string) string {
	if f.Trim {
		text = core.Strip(text)
	}
	if f.Lower {
		text = strings.ToLower(text)
	}
	long := f.MaxLength > 0 && utf8.RuneCountInString(text) > f.MaxLength
	if f.Role == profiles.RoleUsername && a.policy.NormalizeUsername && !long {
		text = norm.NFKC.String(text)
	}
	return text
}

// maxEmail is the limit of an EmailField that sets none (django/forms/fields.py
// since 3.2.20).
const maxEmail = 320

// validators are required, then the field's own, all of them.
func (a *API) validators(f profiles.Field, text string) (messages []any) {
	say := func(key string, pairs ...string) {
		messages = append(messages, a.profile.Messages.Format(key, pairs...))
	}
	if text == "" {
		if f.Required {
			say("required")
		}
		return messages
	}
	limit := f.MaxLength
	if f.Role == profiles.RoleEmail {
		if !a.emails.Valid(text) {
			say("email_invalid")
		}
		if limit == 0 {
			limit = maxEmail
		}
	}
	if n := utf8.RuneCountInString(text); limit > 0 && n > limit {
		say("max_length", "max", strconv.Itoa(limit), "length", strconv.Itoa(n))
	}
	if strings.ContainsRune(text, 0) {
		say("nul")
	}
	return messages
}
