package drf_test

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/password/validation"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// retyped is a registration of djoser's with USER_CREATE_PASSWORD_RETYPE, or of dj-rest-auth's.
const retyped = `
name: retyped
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
passwords: {validators: [similarity, min_length, common, numeric], stage: STAGE}
endpoints:
  register:
    path: /users/
    renderers: [json]
    fields: {username: {max_length: 150}, email: {required: false}, PASSWORD: {role: password}, AGAIN: {role: password_again}}
    reply: {status: 201, body: {username: $user.username}}
`

// TestNewPasswords registers with passwords that validators refuse, as genuine djoser 2.1 and
// dj-rest-auth 5.0.2 on Django 3.2 answer: what is shown where, and what comes first.
func TestNewPasswords(t *testing.T) {
	common := validation.Common{"password": {}, "12345": {}}
	const (
		short   = `"This password is too short. It must contain at least 8 characters."`
		usual   = `"This password is too common."`
		numeric = `"This password is entirely numeric."`
		differ  = `{"non_field_errors":["The two password fields didn't match."]}`
	)
	for stage, tests := range map[profiles.PasswordStage][]struct{ body, want string }{
		profiles.StageObject: {
			{`{"username":"jonathan","password":"12345","re_password":"12345"}`, `{"password":[` + short + "," + usual + "," + numeric + `]}`},
			{`{"username":"jonathan","password":"nahtanoj","re_password":"other"}`, `{"password":["The password is too similar to the username."]}`},
			{`{"username":"ann","email":"jonathan@a.example","password":"Jonathan","re_password":"Jonathan"}`, `{"password":["The password is too similar to the email address."]}`},
			{`{"username":"ann","password":"correct horse","re_password":"correct  horse"}`, differ},
			{`{"username":"","password":"12345","re_password":"12345"}`, `{"username":["This field may not be blank."]}`},
			{`{"username":"ann","password":"correct horse"}`, `{"re_password":["This field is required."]}`},
			{`{"username":"ann","password":"correct horse","re_password":" correct horse "}`, `{"username":"ann"}`},
		},
		profiles.StageField: {
			{`{"username":"","password1":"12345","password2":"12345"}`, `{"username":["This field may not be blank."],"password1":[` + short + "," + usual + "," + numeric + `]}`},
			{`{"username":"jonathan","password1":"nahtanoj","password2":"other"}`, differ},
			{`{"username":"jonathan","password1":"nahtanoj","password2":"nahtanoj"}`, `{"non_field_errors":["The password is too similar to the username."]}`},
			{`{"username":"ann","password1":"correct horse","password2":"correct horse"}`, `{"username":"ann"}`},
		},
	} {
		password, again := "password", "re_password"
		if stage == profiles.StageField {
			password, again = "password1", "password2"
		}
		a := apitest.MustNew(t, apitest.MustParse(t, retyped, "STAGE", string(stage), "PASSWORD", password, "AGAIN", again), sqlitetest.MustOpen(t), dialects.WithCommonPasswords(common))
		for _, test := range tests {
			status := 400
			if test.want == `{"username":"ann"}` {
				status = 201
			}
			if w := a.Ask(t, "POST", "/users/", test.body, "Content-Type", json); w.Code != status || w.Body.String() != test.want {
				t.Errorf("%s, %s:\n got %d %s\nwant %d %s", stage, test.body, w.Code, w.Body, status, test.want)
			}
		}
	}
}

// TestNoPassword registers a user who has no password, and so can't log in.
func TestNoPassword(t *testing.T) {
	p := apitest.MustParse(t, retyped, "STAGE", "field", ", PASSWORD: {role: password}, AGAIN: {role: password_again}", "")
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t), dialects.WithCommonPasswords(validation.Common{"x": {}}))
	if w := a.Ask(t, "POST", "/users/", `{"username":"ann"}`, "Content-Type", json); w.Code != 201 || w.Body.String() != `{"username":"ann"}` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, password := range []string{"", "!", "ann"} {
		if _, err := a.Engine.Login(t.Context(), dialects.Policy(p), "ann", password); core.KindOf(err) != core.KindInvalidCredentials {
			t.Errorf("%q: %v", password, err)
		}
	}
}
