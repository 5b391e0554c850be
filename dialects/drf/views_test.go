package drf_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// sharing is an API whose endpoints share paths.
const sharing = `name: sharing
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
trailing_slash: redirect
endpoints:
  create:
    action: register
    path: /users/
    view: {name: Users, actions: true}
    renderers: [json]
    fields: {username: {}, password: {}}
    reply: {status: 201, body: {new: $user.username}}
  who:
    action: account
    path: /users/
    methods: [PUT, GET]
    reply: {status: 200, body: {name: $user.username}}
  me: {action: account, path: /users/me/, trailing_slash: optional, reply: {status: 200, body: {me: $user.username}}}
  by_id: {action: account, path: "/users/{id}/", reply: {status: 200, body: {id: $user.id}}}
  by_name: {action: account, path: "/names/{username}/", trailing_slash: exact, reply: {status: 200, body: {name: $user.username}}}
`

// outcome is a reply with what tells views apart.
func outcome(w interface {
	Result() *http.Response
}, body string) string {
	r := w.Result()
	return strings.TrimSpace(fmt.Sprintf("%d %s%s [%s]", r.StatusCode, r.Header.Get("Location"), body, strings.Join(r.Header["Allow"], "|")))
}

// TestViews asks endpoints that share a path: each answers its methods, and all of them say what
// the view can do (rest_framework/views.py, APIView.allowed_methods and dispatch).
func TestViews(t *testing.T) {
	p := apitest.MustParse(t, sharing)
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "ann", false)
	a.MustCreateUser(t, "bob", false)
	key := a.MustLogin(t, token.Policy(p), "ann")
	const users = "[GET, POST, PUT, HEAD, OPTIONS]"
	const missing = `{"detail":"Authentication credentials were not provided."}`
	const field = `{"type":"string","required":true,"read_only":false}`
	for _, test := range []struct{ method, path, token, want string }{
		{"POST", "/users/", "", `201 {"new":"zoe"} ` + users},
		{"GET", "/users/", "", `401 ` + missing + " " + users},
		{"GET", "/users/", key, `200 {"name":"ann"} ` + users},
		{"put", "/users/", key, `200 {"name":"ann"} ` + users},
		{"HEAD", "/users/", key, `200 {"name":"ann"} ` + users},
		{"DELETE", "/users/", "", `401 ` + missing + " " + users}, // as one endpoint needs a token
		{"DELETE", "/users/", key, `405 {"detail":"Method \"DELETE\" not allowed."} ` + users},
		{"OPTIONS", "/users/", "", `401 ` + missing + " " + users},
		{"OPTIONS", "/users/", key, `200 {"name":"Users","description":"","renders":["application/json"],"parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"],` +
			`"actions":{"POST":{"username":` + field + `,"password":` + field + `},"PUT":{}}} ` + users},
		{"GET", "/users", key, "301 /users/ []"},
		{"GET", "/users/me/", key, `200 {"me":"ann"} [GET, HEAD, OPTIONS]`},
		{"GET", "/users/me", key, `200 {"me":"ann"} [GET, HEAD, OPTIONS]`},
		{"GET", "/users/1/", key, `200 {"id":1} [GET, HEAD, OPTIONS]`},
		{"GET", "/users/1", key, "301 /users/1/ []"},
		{"GET", "/users/2/", key, `404 {"detail":"Not found."} [GET, HEAD, OPTIONS]`},
		{"GET", "/users/01/", key, `200 {"id":1} [GET, HEAD, OPTIONS]`},
		{"GET", "/users/word/", key, `404 {"detail":"Not found."} [GET, HEAD, OPTIONS]`},
		{"GET", "/users/2/", "", `401 ` + missing + " [GET, HEAD, OPTIONS]"},
		{"GET", "/names/bob/", key, `200 {"name":"bob"} [GET, HEAD, OPTIONS]`},
	} {
		var headers []string
		if test.token != "" {
			headers = []string{"Authorization", "Token " + test.token}
		}
		w := a.Ask(t, test.method, test.path, `{"username": "zoe", "password": "secret"}`, append(headers, "Content-Type", json)...)
		if got := outcome(w, w.Body.String()); got != test.want {
			t.Errorf("%s %s, token %t: %s\nwant %s", test.method, test.path, test.token != "", got, test.want)
		}
	}
	for _, path := range []string{"/users/1.json/", "/names/bob", "/users/1/2/"} {
		if w := a.Ask(t, "GET", path, "", "Authorization", "Token "+key); w.Code != 404 || w.Header().Get("Content-Type") != "text/html" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
