package plainjson_test

import (
	"fmt"
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestViews asks plain views that share a path.
func TestViews(t *testing.T) {
	p := apitest.MustParse(t, `name: sharing
family: plainjson
stack: views-1.6
errors: {body: {error: $message}}
tokens: {hex: 40, ttl: never, per_user: one}
endpoints:
  login: {path: /session, fields: {username: {}, password: {}}, reply: {status: 200, body: {user: $user.username}}}
  who: {action: account, path: /session, reply: {status: 200, body: {id: $user.id}}}
  user: {action: account, path: '/users/{id}', reply: {status: 200, body: {id: $user.id}}}
messages: {method: "{method} is not allowed"}
`)
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "ann", false)
	a.MustCreateUser(t, "bob", false)
	key := a.MustLogin(t, token.Policy(p), "ann")
	const session = " [GET, POST, OPTIONS]"
	for request, want := range map[[2]string]string{
		{"POST", "/session"}:    `200 {"user": "ann"} []`,
		{"get", "/session"}:     `200 {"id": 1} []`,
		{"DELETE", "/session"}:  `405 {"error": "DELETE is not allowed"}` + session,
		{"OPTIONS", "/session"}: "200 " + session,
		{"GET", "/users/1"}:     `200 {"id": 1} []`,
		{"GET", "/users/2"}:     `404 {"error": "Not found"} []`,
		{"POST", "/users/1"}:    `405 {"error": "POST is not allowed"} [GET, OPTIONS]`,
	} {
		w := a.Ask(t, request[0], request[1], `{"username": "ann", "password": "secret"}`, "Authorization", "Token "+key)
		if got := fmt.Sprintf("%d %s [%s]", w.Code, w.Body, w.Header().Get("Allow")); got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
}
