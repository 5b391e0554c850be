package formjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// accounts is an API whose view shows accounts.
const accounts = `
name: accounts
family: formjson
stack: forms-2.2
tokens: {hex: 40, ttl: 24h, per_user: many}
errors: {body: {errors: $errors}}
endpoints:
  account: {path: "/users/{username}", reply: {status: 200, body: {name: $user.username}}}
`

// TestAccountsOfOthers shows an account to whoever has a token, as the other families do.
func TestAccountsOfOthers(t *testing.T) {
	p := apitest.MustParse(t, accounts)
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "john", false)
	a.MustCreateUser(t, "ann", false)
	key := a.MustLogin(t, token.Policy(p), "john")
	for _, c := range []struct {
		path, key string
		status    int
		body      string
	}{
		{"/users/john", key, 200, `{"name":"john"}`},
		{"/users/ann", key, 200, `{"name":"ann"}`},
		{"/users/nobody", key, 404, `{"detail":"Not found."}`},
		{"/users/ann", "x", 401, `{"detail":"Invalid token."}`},
	} {
		if w := a.Ask(t, "GET", c.path, "", "Authorization", "Token "+c.key); w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: %d %s, want %d %s", c.path, w.Code, w.Body, c.status, c.body)
		}
	}
}
