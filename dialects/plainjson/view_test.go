package plainjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestTokens logs out only with a live token under its scheme.
func TestTokens(t *testing.T) {
	p := apitest.MustLoad(t, "authtokens")
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "john", false)
	key := a.MustLogin(t, token.Policy(p), "john")
	for _, header := range []string{"", key, "Bearer " + key, "Token", "Token " + key + " x", "Token " + key[1:], "Token x" + key} {
		w := a.Ask(t, "POST", "/api/logout/", "", "Authorization", header)
		if w.Code != 401 || w.Body.String() != `{"error": "Invalid token"}` {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
	}
	if w := a.Ask(t, "POST", "/api/logout/", "", "Authorization", "Token "+key); w.Code != 200 || w.Body.String() != `{"status": "success"}` {
		t.Errorf("its token: %d %s", w.Code, w.Body)
	}
	if w := a.Ask(t, "POST", "/api/logout/", "", "Authorization", "Token "+key); w.Code != 401 {
		t.Errorf("once more: %d %s", w.Code, w.Body)
	}
}

// TestLogin answers a method in any case, and every failure in the API's shape.
func TestLogin(t *testing.T) {
	a := apitest.MustNew(t, apitest.MustLoad(t, "authtokens"), sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "john", false)
	a.MustCreateUser(t, "ghost", true)
	const good = `{"username": "john", "password": "secret"}`
	for _, test := range []struct {
		method, body string
		status       int
		want         string // empty: a token
	}{
		{"POST", good, 200, ""}, {"post", good, 200, ""}, {"Post", good, 200, ""},
		{"GET", good, 405, `{"error": "Method not allowed"}`},
		{"PUT", good, 405, `{"error": "Method not allowed"}`},
		{"POST", `{"username": "john", "password": "wrong"}`, 401, `{"error": "Invalid username or password"}`},
		{"POST", `{"username": "nobody", "password": "secret"}`, 401, `{"error": "Invalid username or password"}`},
		{"POST", `{"username": "ghost", "password": "secret"}`, 401, `{"error": "Invalid username or password"}`},
		{"POST", `{"username": "john"}`, 400, `{"error": "Invalid Data: password is required"}`},
		{"POST", `{"username": "john", "password": 1}`, 400, `{"error": "Invalid Data: password must be a string"}`},
		{"POST", `[]`, 400, `{"error": "Invalid Data: a JSON object is required"}`},
		{"POST", `{`, 400, `{"error": "Invalid Data: No JSON object could be decoded"}`},
	} {
		w := a.Ask(t, test.method, "/api/login/", test.body)
		if w.Code != test.status || test.want != "" && w.Body.String() != test.want {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.body, w.Code, w.Body, test.status, test.want)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: headers %v", test.method, test.body, w.Header())
		}
	}
}

// TestRefusedLogins checks how a login is answered that the server could not serve.
func TestRefusedLogins(t *testing.T) {
	apitest.RunRefusals(t, apitest.MustLoad(t, "authtokens"), "/api/login/", "application/json", `{"username": "john", "password": "secret"}`, map[core.Kind]int{
		core.KindInternal: 500, core.KindUnavailable: 503, core.KindOverloaded: 503, core.KindThrottled: 429, core.KindCanceled: 503,
	})
}
