package formjson_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestNewPasswords signs up with passwords that validators refuse: their sentences stand at the
// second password, behind all other errors, and not beside that the two differ.
func TestNewPasswords(t *testing.T) {
	p := apitest.MustLoad(t, "form-auth")
	p.Passwords = profiles.Passwords{MinLength: 8, Validators: []profiles.PasswordValidator{
		profiles.ValidateSimilarity, profiles.ValidateMinLength, profiles.ValidateCommon, profiles.ValidateNumeric,
	}}
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t), dialects.WithCommonPasswords(validation.Common{"12345": {}}))
	a.MustCreateUser(t, "taken", false)
	const all = `"password2": ["This password is too short. It must contain at least 8 characters.", "This password is too common.", "This password is entirely numeric."]`
	for _, test := range []struct{ username, email, password, again, errors string }{
		{"ann", "a@example.com", "12345", "12345", all},
		{"Jonathan", "a@example.com", "nahtanoj", "nahtanoj", `"password2": ["The password is too similar to the username."]`},
		{"ann", "jonathan@example.com", "nahtanoj", "nahtanoj", `"password2": ["The password is too similar to the email address."]`},
		{"taken", "a@example.com", "12345", "12345", `"username": ["A user with that username already exists."], ` + all},
		{"a b", "a@example.com", "ab", "ab", `"username": ["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."], "password2": ["The password is too similar to the username.", "This password is too short. It must contain at least 8 characters."]`},
		{"ann", "a@example.com", "12345", "12346", `"password2": ["The two password fields didn't match."]`},
		{"ann", "a@example.com", "12345", "", `"password2": ["This field is required."]`},
		{"ann", "a@example.com", "", "12345", `"password1": ["This field is required."], ` + all},
		{"ann", "a@example.com", "correct horse", "correct horse", ""},
	} {
		form := url.Values{"username": {test.username}, "email": {test.email}, "password1": {test.password}, "password2": {test.again}, "accept_tos": {"on"}}
		w := a.Ask(t, "POST", "/auth/signup", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if want := `{"errors": {` + test.errors + `}, "success": `; w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%+v:\n got %d %s\nwant %s", test, w.Code, w.Body, want)
		}
	}
}
