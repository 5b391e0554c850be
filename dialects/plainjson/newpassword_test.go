package plainjson_test

import (
	"errors"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestNewPasswords registers with passwords that are refused: the first reason is the answer.
func TestNewPasswords(t *testing.T) {
	p := apitest.MustLoad(t, "authtokens")
	p.Passwords = profiles.Passwords{MinLength: 8, Validators: []profiles.PasswordValidator{
		profiles.ValidateMinLength, profiles.ValidateNumeric, profiles.ValidateSimilarity,
	}}
	var path string
	for i, e := range p.Endpoints {
		if e.Action == profiles.Register {
			path = e.Path
			p.Endpoints[i].Fields = append(e.Fields, profiles.Field{Name: "again", Role: profiles.RolePasswordAgain, Required: true, Characters: profiles.CharactersAny})
		}
	}
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	for _, test := range []struct{ password, again, want string }{
		{"1234", "123", `{"error": "again is not the same as the password"}`},
		{"1234", "1234", `{"error": "password must have 8 characters or more"}`},
		{"12345678", "12345678", `{"error": "password has digits only"}`},
		{"nahtanoj", "nahtanoj", `{"error": "password is too similar to the username"}`},
	} {
		body := `{"username": "jonathan", "email": "a@example.com", "password": "` + test.password + `", "again": "` + test.again + `"}`
		if w := a.Ask(t, "POST", path, body); w.Code != 400 || w.Body.String() != test.want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if w := a.Ask(t, "POST", path, `{"username": "jonathan", "email": "a@example.com", "password": "correct horse", "again": "correct horse"}`); w.Code != 201 {
		t.Errorf("a good one: %d %s", w.Code, w.Body)
	}
}

// TestNoList refuses to serve a profile whose list of common passwords is missing.
func TestNoList(t *testing.T) {
	p := apitest.MustLoad(t, "authtokens")
	p.Passwords.Validators = []profiles.PasswordValidator{profiles.ValidateCommon}
	engine := core.New(core.Config{Backend: core.Backend{Store: sqlitetest.MustOpen(t)}})
	if _, err := dialects.New(p, engine); !errors.Is(err, dialects.ErrNoList) {
		t.Errorf("served: %v", err)
	}
}
