package django

import (
	"testing"

	"github.com/authcompat/authcompat/profiles"
)

// TestForms decodes fields of all roles, empty ones and absent ones.
func TestForms(t *testing.T) {
	roles := []profiles.Role{
		profiles.RoleUsername, profiles.RoleUsernameOrEmail, profiles.RoleUsernameAgain, profiles.RoleEmail, profiles.RolePassword, profiles.RolePasswordAgain,
		profiles.RoleCurrentPassword, profiles.RoleAccept, profiles.RoleUID, profiles.RoleToken,
	}
	var fields []profiles.Field
	for _, role := range roles {
		fields = append(fields, profiles.Field{Name: "of-" + string(role), Role: role})
	}
	for _, name := range []string{"first_name", "last-name", "Age"} {
		fields = append(fields, profiles.Field{Name: name, Role: profiles.RoleAttribute})
	}
	for _, value := range []string{"x", "", " ", "a[0]", "ä\x00"} {
		values := Values{"other": "1", "username": "2", "attribute[first_name]": "3"}
		for _, f := range fields {
			values[f.Name] = value + f.Name
			if value == "" {
				values[f.Name] = ""
			}
		}
		form, err := NewForms().Decode(values, fields)
		if err != nil {
			t.Fatal(err)
		}
		none, err := NewForms().Decode(Values{"other": "1"}, fields)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if text, sent := form.Field(f); !sent || text != values[f.Name] {
				t.Errorf("%s: %q, %t, want %q", f.Name, text, sent, values[f.Name])
			}
			if text, sent := none.Field(f); sent || text != "" {
				t.Errorf("%s, which was not sent: %q, %t", f.Name, text, sent)
			}
		}
	}
}
