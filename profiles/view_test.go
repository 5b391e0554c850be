package profiles

import (
	"slices"
	"strings"
	"testing"
)

// sharing has endpoints that share a path.
const sharing = `name: sharing
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
trailing_slash: redirect
endpoints:
  create:
    action: register
    path: /users/
    trailing_slash: optional
    view: {name: Users, actions: true}
    renderers: [json]
    fields: {username: {}, password: {}}
    reply: {status: 201, body: {id: $user.id}}
  who:
    action: account
    path: /users/
    methods: [PUT, GET]
    reply: {status: 200, body: {id: $user.id}}
  me: {action: account, path: /users/me/, reply: {status: 200}}
  by_id: {action: account, path: "/users/{id}/", reply: {status: 200}}
  by_name: {action: account, path: "/names/{username}/", trailing_slash: exact, reply: {status: 200}}
`

// TestViews reads endpoints of one path: what belongs to the view is that of the first.
func TestViews(t *testing.T) {
	p, err := Parse("f.yaml", []byte(sharing))
	if err != nil {
		t.Fatal(err)
	}
	checkRoundTrip(t, p)
	for i, want := range []struct {
		methods string
		slash   TrailingSlash
		view    string
	}{{"POST", SlashOptional, "Users"}, {"GET PUT", SlashOptional, "Users"}, {"GET", SlashRedirect, "Me"}, {"GET", SlashRedirect, "By Id"}, {"GET", SlashExact, "By Name"}} {
		e := p.Endpoints[i]
		if got := strings.Join(e.Methods, " "); got != want.methods || e.TrailingSlash != want.slash || e.View.Name != want.view {
			t.Errorf("%s: %s, %s, %s", e.Name, got, e.TrailingSlash, e.View.Name)
		}
	}
	if e := p.Endpoints[1]; !slices.Equal(e.Renderers, []Renderer{RenderJSON}) || !e.View.Actions {
		t.Errorf("the second endpoint of a view: %+v", e)
	}
}

func TestViewProblems(t *testing.T) {
	checkProblems(t, sharing, []problem{
		{"method and methods", "    methods: [PUT, GET]", "    methods: [PUT]\n    method: GET", []string{"f.yaml:18:14: endpoints.who.methods: stands beside method, which says the same of one"}},
		{"method twice", "[PUT, GET]", "[PUT, POST]", []string{"f.yaml:18:14: endpoints.who.methods: POST /users/ is create above already"}},
		{"method of register", "    trailing_slash: optional", "    trailing_slash: optional\n    methods: [POST, GET]", []string{`f.yaml:11:21: endpoints.create.methods[1]: want POST, not "GET"`}},
		{"contradictions", "    methods: [PUT, GET]", `    methods: [PUT, GET]
    trailing_slash: exact
    authenticate: false
    view: {name: Users}
    renderers: [json, html]
    parsers: [form]`, []string{
			"f.yaml:19:21: endpoints.who.trailing_slash: is another one at create, the first endpoint of this path: its value holds for all of them",
			"f.yaml:20:19: endpoints.who.authenticate: is another one at create, the first endpoint of this path: its value holds for all of them",
			"f.yaml:22:16: endpoints.who.renderers: is another one at create, the first endpoint of this path: its value holds for all of them",
			"f.yaml:23:14: endpoints.who.parsers: is another one at create, the first endpoint of this path: its value holds for all of them",
		}},
		{"the same again", "    methods: [PUT, GET]", "    methods: [PUT, GET]\n    trailing_slash: optional\n    view: {name: Users, actions: true}\n    renderers: [json]", nil},
		{"view", "    methods: [PUT, GET]", "    methods: [PUT, GET]\n    view: {name: Who}", []string{"f.yaml:19:11: endpoints.who.view: is another one at create, the first endpoint of this path: its value holds for all of them"}},
		{"open to none", "    renderers: [json]", "    renderers: [json]\n    authenticate: false", []string{"f.yaml:17:5: endpoints.who.access: is token, and nothing is asked who a client is"}},
		{"hidden by an id", `"/users/{id}/"`, `"/users/{id}/"`, nil},
		{"me too late", "/users/me/", "/names/me/", nil},
		{"id before me", `"/names/{username}/", trailing_slash: exact`, "/users/you/", []string{"f.yaml:22:36: endpoints.by_name.path: is matched by the path of by_id above; put this endpoint first"}},
		{"id before a dot", `"/names/{username}/", trailing_slash: exact`, "/users/you.json/", nil},
		{"id before name", `"/names/{username}/"`, `"/users/{username}/"`, []string{"f.yaml:22:36: endpoints.by_name.path: is matched by the path of by_id above; put this endpoint first"}},
		{"optional slash", `"/names/{username}/"`, `/users`, []string{"f.yaml:22:36: endpoints.by_name.path: is the path of create already"}},
		{"exact slash", `/users/me/`, `/users/me`, nil},
	})
}

// TestFormsShareNoPath checks that a form has its path for itself.
func TestFormsShareNoPath(t *testing.T) {
	checkProblems(t, formProfile, []problem{
		{"form and view", "endpoints:\n", "endpoints:\n  me: {action: account, path: /signup, reply: {status: 200}}\n", []string{"f.yaml:10:11: endpoints.signup.path: is the path of me already, and a form has its path for itself"}},
	})
}
