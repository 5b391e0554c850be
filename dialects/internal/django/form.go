package django

import (
	"fmt"
	"net/url"

	"github.com/go-playground/form/v4"

	"github.com/authcompat/authcompat/profiles"
)

// Form has the values of a form by role; nil: the form lacks that field.
type Form struct {
	Username      *string `form:"username"`
	Email         *string `form:"email"`
	Password      *string `form:"password"`
	PasswordAgain *string `form:"password_again"`
	Accept        *string `form:"accept"`
}

// Field gives the value for a role, or nil.
func (f *Form) Field(r profiles.Role) *string {
	switch r {
	case profiles.RoleUsername:
		return f.Username
	case profiles.RoleEmail:
		return f.Email
	case profiles.RolePassword:
		return f.Password
	case profiles.RolePasswordAgain:
		return f.PasswordAgain
	case profiles.RoleAccept:
		return f.Accept
	}
	return nil
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
		if v, ok := values[field.Name]; ok {
			known[string(field.Role)] = []string{v}
		}
	}
	var out Form
	if err := f.decoder.Decode(&out, known); err != nil {
		return Form{}, fmt.Errorf("decode form: %w", err)
	}
	return out, nil
}
