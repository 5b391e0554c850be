package formjson_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestSignup makes a user only if the passwords are equal and the terms are accepted.
func TestSignup(t *testing.T) {
	for name, test := range map[string]struct {
		change func(url.Values)
		errors string // empty: the user is made
	}{
		"good":                    {func(url.Values) {}, ""},
		"another second password": {func(v url.Values) { v.Set("password2", "secreT") }, `{"password2": ["`},
		"a longer second one":     {func(v url.Values) { v.Set("password2", "secrets") }, `{"password2": ["`},
		"no second password":      {func(v url.Values) { v.Del("password2") }, `{"password2": ["This field is required."]}`},
		"not accepted":            {func(v url.Values) { v.Del("accept_tos") }, `{"accept_tos": ["This field is required."]}`},
		"accepted with false":     {func(v url.Values) { v.Set("accept_tos", "False") }, `{"accept_tos": ["This field is required."]}`},
		"no name":                 {func(v url.Values) { v.Del("username") }, `{"username": ["This field is required."]}`},
		"a name with a blank":     {func(v url.Values) { v.Set("username", "a b") }, `{"username": ["Enter a valid username.`},
		"no address":              {func(v url.Values) { v.Set("email", "nobody") }, `{"email": ["Enter a valid email address."]}`},
	} {
		a := apitest.MustNew(t, apitest.MustLoad(t, "form-auth"), sqlitetest.MustOpen(t))
		form := url.Values{"username": {"ann"}, "email": {"a@example.com"}, "password1": {"secret"}, "password2": {"secret"}, "accept_tos": {"on"}}
		test.change(form)
		w := a.Ask(t, "POST", "/auth/signup", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		want := `{"errors": {}, "success": true, "token": "`
		if test.errors != "" {
			want = `{"errors": ` + test.errors
		}
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s…", name, w.Code, w.Body, want)
		}
		_, err := a.Engine.User(t.Context(), "ann")
		if (err == nil) != (test.errors == "") || err != nil && core.KindOf(err) != core.KindUserUnknown {
			t.Errorf("%s: made: %v", name, err)
		}
	}
}

// TestMethods answers forms to POST in any case alone.
func TestMethods(t *testing.T) {
	a := apitest.MustNew(t, apitest.MustLoad(t, "form-auth"), sqlitetest.MustOpen(t))
	for method, want := range map[string]int{"POST": 200, "post": 200, "GET": 405, "PUT": 405, "OPTIONS": 405} {
		if w := a.Ask(t, method, "/auth/login", ""); w.Code != want || want == 405 && w.Header()["Allow"][0] != "POST" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
}

// TestRefusedLogins checks how a login is answered that the server could not serve.
func TestRefusedLogins(t *testing.T) {
	apitest.RunRefusals(t, apitest.MustLoad(t, "form-auth"), "/auth/login", "application/x-www-form-urlencoded", "username=john&password=secret", map[core.Kind]int{
		core.KindInternal: 500, core.KindUnavailable: 503, core.KindOverloaded: 503, core.KindThrottled: 429, core.KindCanceled: 503,
	})
}
