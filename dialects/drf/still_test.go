package drf_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// stolen is an API that asks for no password before accounts are changed.
const stolen = `
name: stolen
family: drf
stack: drf-3.14
authentication: [token, basic]
tokens: {hex: 40, ttl: 24h, per_user: many}
attributes: {is_staff: boolean}
endpoints:
  password: {action: set_password, path: /password/, renderers: [json], fields: {new_password: {role: password}}, reply: {status: 204}}
  rename: {action: set_username, path: /rename/, renderers: [json], fields: {new_username: {role: username}}, reply: {status: 204}}
  update: {path: '/users/{id}/', renderers: [json], fields: {email: {}}, reply: {status: 204}}
  confirmed: {action: delete, path: /confirmed/, renderers: [json], fields: {current_password: {}}, reply: {status: 204}}
`

// TestEndedMeanwhile sends requests whose bodies come late: what ended what the client was recognised by before they
// did, or the right to do that to another user, ends what they ask for, too. With a body that comes in time, all is done.
func TestEndedMeanwhile(t *testing.T) {
	const (
		noToken  = `401 {"detail":"Invalid token."}`
		inactive = `401 {"detail":"User inactive or deleted."}`
		wrong    = `401 {"detail":"Invalid username/password."}`
	)
	requests := map[string][3]string{
		"password":  {"POST", "/password/", `{"new_password": "evil"}`},
		"rename":    {"POST", "/rename/", `{"new_username": "evil"}`},
		"update":    {"PATCH", "/users/1/", `{"email": "evil@a.example"}`},
		"confirmed": {"DELETE", "/confirmed/", `{"current_password": "secret"}`},
	}
	type world struct {
		*apitest.API
		t     *testing.T
		admin core.Admin
		ann   core.User
		staff core.User
		token core.Session
	}
	must := func(w world, err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	logout := func(w world) { must(w, w.Engine.LogoutAll(w.t.Context(), w.token)) }
	for _, c := range []struct {
		name, as  string
		meanwhile func(w world)
		requests  string
		want      string
	}{
		{"nothing", "token", func(world) {}, "password rename update confirmed", "204 "},
		{"nothing", "basic", func(world) {}, "password rename update confirmed", "204 "},
		{"nothing", "staff", func(world) {}, "update", "204 "},
		{"all tokens ended", "token", logout, "password rename update confirmed", noToken},
		{"password changed, tokens ended", "token", func(w world) {
			must(w, w.Engine.SetPassword(w.t.Context(), w.ann, "another", false))
			logout(w)
		}, "password rename update", noToken},
		{"disabled", "token", func(w world) { must(w, w.Engine.SetActive(w.t.Context(), w.admin, w.ann, false)) }, "password rename update", inactive},
		{"disabled", "basic", func(w world) { must(w, w.Engine.SetActive(w.t.Context(), w.admin, w.ann, false)) }, "password rename update", wrong},
		{"password changed", "basic", func(w world) { must(w, w.Engine.SetPassword(w.t.Context(), w.ann, "another", false)) }, "password rename update", wrong},
		{"password hashed anew", "basic", func(w world) { must(w, w.Engine.SetPassword(w.t.Context(), w.ann, "secret", false)) }, "password rename update", "204 "},
		{"no staff any more", "staff", func(w world) {
			none := "false"
			_, err := w.Engine.UpdateUser(w.t.Context(), core.Policy{}, w.staff.ID, core.UserUpdate{Attributes: map[string]*string{"is_staff": &none}})
			must(w, err)
		}, "update", `404 {"detail":"Not found."}`},
	} {
		for _, name := range strings.Fields(c.requests) {
			t.Run(c.name+"/"+c.as+"/"+name, func(t *testing.T) {
				store := sqlitetest.MustOpen(t)
				p := apitest.MustParse(t, stolen)
				w := world{API: apitest.MustNew(t, p, store), t: t, admin: store.Backend().Admin}
				for _, r := range []core.Registration{
					{Username: "ann", Email: "ann@a.example", Password: "secret"},
					{Username: "clara", Password: "secret", Attributes: map[string]string{"is_staff": "true"}},
				} {
					user, err := w.Engine.CreateUser(t.Context(), core.Policy{}, r)
					must(w, err)
					w.ann, w.staff = w.staff, user
				}
				caller := w.ann.Username
				if c.as == "staff" {
					caller = w.staff.Username
				}
				var err error
				w.token, err = w.Engine.Login(t.Context(), dialects.Policy(p), caller, "secret")
				must(w, err)
				header := "Token " + w.token.Key
				if c.as == "basic" {
					header = "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:secret"))
				}
				r := requests[name]
				answer := w.AskSlowly(t, func() { c.meanwhile(w) }, r[0], r[1], r[2], "Content-Type", json, "Authorization", header)
				if got := answer.Result().Status[:4] + answer.Body.String(); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				user, err := w.Engine.UserByID(t.Context(), w.ann.ID)
				if kept := err == nil && user.Username == "ann" && user.Email == "ann@a.example"; kept && c.want == "204 " && name != "password" || !kept && c.want != "204 " {
					t.Errorf("%+v, %v", user, err)
				}
				if _, err := w.Engine.Login(t.Context(), core.Policy{TokenHex: 40}, "ann", "evil"); (err == nil) != (c.want == "204 " && name == "password") {
					t.Errorf("login with the password that was sent: %v", err)
				}
			})
		}
	}
}
