package formjson_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/pythontest"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// passwords is an API whose users change their passwords with Django's form.
const passwords = `
name: passwords
family: formjson
stack: forms-2.2
tokens: {hex: 40, ttl: 24h, per_user: many}
passwords: {validators: [similarity, min_length, numeric]}
headers: {X-Api: old}
errors: {body: {errors: $errors, success: false}}
endpoints:
  me: {action: account, path: /auth/password, reply: {status: 200, body: {name: $user.username}}}
  set_password:
    path: /auth/password
    renderers: [json, html]
    logout: LOGOUT
    fields: {OLDnew_password1: {role: password}, new_password2: {role: password_again}}
    reply: {status: 200, body: {errors: {}, success: true}}
`

// newPasswords makes the API with annabella, and gives the header of a token of hers.
func newPasswords(t *testing.T, pairs ...string) (a *apitest.API, user core.User, header string) {
	t.Helper()
	p := apitest.MustParse(t, passwords, pairs...)
	a = apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	user, err := a.Engine.CreateUser(t.Context(), core.Policy{}, core.Registration{
		Username: "annabella", Email: "ann@a.example", Password: "secret", Attributes: map[string]string{"first_name": "Gwendolyn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, user, "Token " + a.MustLogin(t, token.Policy(p), "annabella")
}

const oldPassword = "old_password: {role: current_password}, "

// TestSetPassword changes passwords: what a view of REST framework decides is its answer, and the rest is the form's.
func TestSetPassword(t *testing.T) {
	a, _, header := newPasswords(t, "LOGOUT", "false", "OLD", oldPassword)
	const form = "application/x-www-form-urlencoded"
	const good = "old_password=secret&new_password1=brand+new+one&new_password2=brand+new+one"
	for _, c := range []struct {
		method, header, contentType, body string
		status                            int
		want                              string
	}{
		{"POST", "", form, good, 401, `{"detail":"Authentication credentials were not provided."}`},
		{"POST", "Token x", form, good, 401, `{"detail":"Invalid token."}`},
		{"PUT", header, form, good, 405, `{"detail":"Method \"PUT\" not allowed."}`},
		{"GET", header, form, "", 200, `{"name":"annabella"}`},
		{"POST", header, "application/json", `{"old_password":"secret"}`, 200, `{"errors": {"old_password": ["This field is required."], "new_password1": ["This field is required."], "new_password2": ["This field is required."]}, "success": false}`},
		{"POST", header, form, "old_password=wrong&new_password1=Gwendolyn1&new_password2=Gwendolyn1", 200, `{"errors": {"old_password": ["Your old password was entered incorrectly. Please enter it again."], "new_password2": ["The password is too similar to the first name."]}, "success": false}`},
		{"POST", header, form, good, 200, `{"errors": {}, "success": true}`},
		{"POST", header, form, good, 200, `{"errors": {"old_password": ["Your old password was entered incorrectly. Please enter it again."]}, "success": false}`},
	} {
		headers := []string{"Content-Type", c.contentType}
		if c.header != "" {
			headers = append(headers, "Authorization", c.header)
		}
		w := a.Ask(t, c.method, "/auth/password", c.body, headers...)
		if w.Code != c.status || w.Body.String() != c.want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.body, w.Code, w.Body, c.status, c.want)
		}
		if got := w.Header()["X-Api"]; len(got) != 1 || w.Header().Get("Allow") != "GET, POST, HEAD, OPTIONS" || w.Header().Get("Vary") != "Accept" {
			t.Errorf("%s %s: headers %v", c.method, c.body, w.Header())
		}
	}
	if w := a.Ask(t, "POST", "/auth/password", strings.Repeat("a&", 2000), "Content-Type", form, "Authorization", header); w.Code != 400 || w.Header().Get("Allow") != "" || !strings.Contains(w.Body.String(), "Bad Request") {
		t.Errorf("a form with too many fields: %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// TestSetPasswordEndsTokens ends the tokens with the old password where the profile says so, and asks for none
// that it does not have.
func TestSetPasswordEndsTokens(t *testing.T) {
	for logout, status := range map[string]int{"true": 401, "false": 200} {
		a, _, header := newPasswords(t, "LOGOUT", logout, "OLD", "")
		w := a.Ask(t, "POST", "/auth/password", "new_password1=brand+new+one&new_password2=brand+new+one", "Content-Type", "application/x-www-form-urlencoded", "Authorization", header)
		if want := `{"errors": {}, "success": true}`; w.Body.String() != want {
			t.Errorf("logout: %s: %d %s", logout, w.Code, w.Body)
		}
		if w := a.Ask(t, "GET", "/auth/password", "", "Authorization", header); w.Code != status {
			t.Errorf("logout: %s: the token is answered with %d", logout, w.Code)
		}
		if _, err := a.Engine.Login(t.Context(), core.Policy{Issuer: "x", Realm: core.DefaultRealm, TokenHex: 40}, "annabella", "brand new one"); err != nil {
			t.Error(err)
		}
	}
}

// TestSetPasswordAsDjango compares the errors of all combinations with those of the genuine form.
func TestSetPasswordAsDjango(t *testing.T) {
	ask := pythontest.Start(t, "django", `
import json, sys, django
from django.conf import settings
V = 'django.contrib.auth.password_validation.'
settings.configure(USE_I18N=False, INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes'], SECRET_KEY='x',
    PASSWORD_HASHERS=['django.contrib.auth.hashers.MD5PasswordHasher'],
    AUTH_PASSWORD_VALIDATORS=[{'NAME': V + n} for n in ('UserAttributeSimilarityValidator', 'MinimumLengthValidator', 'NumericPasswordValidator')])
django.setup()
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
user = User(username='annabella', email='ann@a.example', first_name='Gwendolyn')
user.set_password('secret')
for line in sys.stdin:
    form = PasswordChangeForm(user=user, data=json.loads(line))
    print(json.dumps(json.dumps(form.errors).replace('\\u2019', "'")), flush=True)
`)
	a, user, header := newPasswords(t, "LOGOUT", "false", "OLD", oldPassword)
	words := []string{"", "short", "annabell1", "12345678", "brand new one", " brand new one", "x\x00yzzzzzz"}
	for _, old := range []string{"", "secret", "wrong", "secret "} {
		for _, first := range words {
			for _, second := range words {
				var want string
				ask(map[string]string{"old_password": old, "new_password1": first, "new_password2": second}, &want)
				body := url.Values{"old_password": {old}, "new_password1": {first}, "new_password2": {second}}.Encode()
				w := a.Ask(t, "POST", "/auth/password", body, "Content-Type", "application/x-www-form-urlencoded", "Authorization", header)
				var got struct{ Errors json.RawMessage }
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || string(got.Errors) != want {
					t.Errorf("%s:\n got %s\nwant %s", body, w.Body, want)
				}
				if want == "{}" {
					if err := a.Engine.SetPassword(t.Context(), user, "secret", false); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// TestDelete removes the caller's account by a form with the password, or at once where the API asks for none.
func TestDelete(t *testing.T) {
	for fields, steps := range map[string][][2]string{
		"": {{"", `204 `}},
		"fields: {password: {role: current_password}}\n    ": {
			{"", `200 {"errors": {"password": ["This field is required."]}, "success": false}`},
			{"password=wrong", `200 {"errors": {"password": ["Your old password was entered incorrectly. Please enter it again."]}, "success": false}`},
			{"password=secret", `204 `},
		},
	} {
		a, user, header := newPasswords(t, "LOGOUT", "false", "OLD", "", "  set_password:\n", "  gone:\n    action: delete\n    path: /auth/gone\n    "+fields+"reply: {status: 204}\n  set_password:\n")
		for _, step := range steps {
			w := a.Ask(t, "DELETE", "/auth/gone", step[0], "Content-Type", "application/x-www-form-urlencoded", "Authorization", header)
			if got := w.Result().Status[:3] + " " + w.Body.String(); got != step[1] || w.Header().Get("Allow") != "DELETE, OPTIONS" {
				t.Errorf("%q: %s %v, want %s", step[0], got, w.Header(), step[1])
			}
		}
		if _, err := a.Engine.UserByID(t.Context(), user.ID); core.KindOf(err) != core.KindUserUnknown {
			t.Errorf("the user is there: %v", err)
		}
		if w := a.Ask(t, "DELETE", "/auth/gone", "", "Authorization", header); w.Code != 401 {
			t.Errorf("of nobody: %d %s", w.Code, w.Body)
		}
	}
}
