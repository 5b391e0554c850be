package django

import (
	"fmt"
	"net/url"

	"github.com/go-playground/form/v4"

	"github.com/authcompat/authcompat/profiles"
)

// Form has the values of a form's fields by role, and those of attributes by the names of their
// fields; nil: the form lacks that field.
type Form struct {
	Username        *string           `form:"username"`
	UsernameOrEmail *string           `form:"username_or_email"`
	UsernameAgain   *string           `form:"username_again"`
	Email           *string           `form:"email"`
	Password        *string           `form:"password"`
	PasswordAgain   *string           `form:"password_again"`
	CurrentPassword *string           `form:"current_password"`
	Accept          *string           `form:"accept"`
	UID             *string           `form:"uid"`
	Token           *string           `form:"token"`
	Attributes      map[string]string `form:"attribute"`
}

// Field gives the value for a field, and whether the form has it.
func (f *Form) Field(field profiles.Field) (text string, sent bool) {
	if field.Role == profiles.RoleAttribute {
		text, sent = f.Attributes[field.Name]
		return text, sent
	}
	value := map[profiles.Role]*string{
		profiles.RoleUsername:        f.Username,
		profiles.RoleUsernameOrEmail: f.UsernameOrEmail,
		profiles.RoleUsernameAgain:   f.UsernameAgain,
		profiles.RoleEmail:           f.Email,
		profiles.RolePassword:        f.Password,
		profiles.RolePasswordAgain:   f.PasswordAgain,
		profiles.RoleCurrentPassword: f.CurrentPassword,
		profiles.RoleAccept:          f.Accept,
		profiles.RoleUID:             f.UID,
		profiles.RoleToken:           f.Token,
	}[field.Role]
	if value == nil {
		return "", false
	}
	return *value, true
}

// Forms decodes the fields of forms.
type Forms struct{ decoder *form.Decoder }

// NewForms makes a decoder for forms of any endpoint.
func NewForms() Forms {
	d := form.NewDecoder()
	d.SetMode(form.ModeExplicit)
	return Forms{d}
}

// Decode gives the values of the endpoint's fields. The decoder sees no other key,
// because it would keep the first of repeated ones where Django keeps the last, and
// read brackets in a key as an index.
func (f Forms) Decode(values Values, fields []profiles.Field) (Form, error) {
	known := make(url.Values, len(fields))
	for _, field := range fields {
		v, ok := values[field.Name]
		switch {
		case !ok:
		case field.Role == profiles.RoleAttribute:
			known["attribute["+field.Name+"]"] = []string{v}
		default:
			known[string(field.Role)] = []string{v}
		}
	}
	var out Form
	if err := f.decoder.Decode(&out, known); err != nil {
		return Form{}, fmt.Errorf("decode form: %w", err)
	}
	return out, nil
}
