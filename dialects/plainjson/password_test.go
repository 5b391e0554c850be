package plainjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// passwords is an API whose users change their passwords.
const passwords = `
name: passwords
family: plainjson
stack: views-1.6
tokens: {hex: 40, ttl: 24h, per_user: many}
passwords: {validators: [similarity, min_length]}
errors: {body: {error: $message}}
endpoints:
  me: {action: account, path: /me, reply: {status: 200, body: {name: $user.username}}}
  set_password:
    path: /password
    logout: LOGOUT
    fields: {OLDnew: {role: password}, again: {role: password_again}}
    reply: {status: 200, body: {status: success}}
`

// TestSetPassword changes passwords: the first thing that is wrong is the answer, and the current password comes before the
// new one.
func TestSetPassword(t *testing.T) {
	p := apitest.MustParse(t, passwords, "LOGOUT", "false", "OLD", "old: {role: current_password}, ")
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	r := core.Registration{Username: "annabella", Password: "secret", Attributes: map[string]string{"first_name": "Gwendolyn"}}
	if _, err := a.Engine.CreateUser(t.Context(), core.Policy{}, r); err != nil {
		t.Fatal(err)
	}
	header := "Token " + a.MustLogin(t, token.Policy(p), "annabella")
	for _, c := range []struct {
		header, body string
		status       int
		want         string
	}{
		{"", `{"old":"secret","new":"brand new one","again":"brand new one"}`, 401, `{"error": "Invalid token"}`},
		{"Token x", `{"old":"secret","new":"brand new one","again":"brand new one"}`, 401, `{"error": "Invalid token"}`},
		{header, `[]`, 400, `{"error": "A JSON object is required"}`},
		{header, `{"old":"wrong","new":"","again":""}`, 400, `{"error": "new is required"}`},
		{header, `{"old":"wrong","new":"short","again":"shorter"}`, 400, `{"error": "old is wrong"}`},
		{header, `{"old":"secret","new":"short","again":"shorter"}`, 400, `{"error": "again is not the same as the password"}`},
		{header, `{"old":"secret","new":"short","again":"short"}`, 400, `{"error": "new must have 8 characters or more"}`},
		{header, `{"old":"secret","new":"Gwendolyn1","again":"Gwendolyn1"}`, 400, `{"error": "new is too similar to the first name"}`},
		{header, `{"old":"secret","new":"brand new one","again":"brand new one"}`, 200, `{"status": "success"}`},
		{header, `{"old":"secret","new":"brand new one","again":"brand new one"}`, 400, `{"error": "old is wrong"}`},
		{header, `{"old":"brand new one","new":"another one","again":"another one"}`, 200, `{"status": "success"}`},
	} {
		w := a.Ask(t, "POST", "/password", c.body, "Authorization", c.header)
		if w.Code != c.status || w.Body.String() != c.want {
			t.Errorf("%s: %d %s, want %d %s", c.body, w.Code, w.Body, c.status, c.want)
		}
	}
	if _, err := a.Engine.Login(t.Context(), token.Policy(p), "annabella", "another one"); err != nil {
		t.Error(err)
	}
}

// TestSetPasswordEndsTokens ends the tokens with the old password where the profile says so, and asks for none that it does
// not have.
func TestSetPasswordEndsTokens(t *testing.T) {
	for logout, status := range map[string]int{"true": 401, "false": 200} {
		p := apitest.MustParse(t, passwords, "LOGOUT", logout, "OLD", "")
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		a.MustCreateUser(t, "ann", false)
		header := "Token " + a.MustLogin(t, token.Policy(p), "ann")
		if w := a.Ask(t, "POST", "/password", `{"new":"brand new one","again":"brand new one"}`, "Authorization", header); w.Code != 200 {
			t.Errorf("logout: %s: %d %s", logout, w.Code, w.Body)
		}
		if w := a.Ask(t, "GET", "/me", "", "Authorization", header); w.Code != status {
			t.Errorf("logout: %s: the token is answered with %d", logout, w.Code)
		}
	}
}

// TestDelete removes the caller's account with the password, or at once where the API asks for none.
func TestDelete(t *testing.T) {
	for fields, steps := range map[string][][2]string{
		"": {{"", `200 {"status": "success"}`}},
		"fields: {password: {role: current_password}}, ": {
			{"", `400 {"error": "No JSON object could be decoded"}`},
			{"{}", `400 {"error": "password is required"}`},
			{`{"password": "wrong"}`, `400 {"error": "password is wrong"}`},
			{`{"password": "secret"}`, `200 {"status": "success"}`},
		},
	} {
		p := apitest.MustParse(t, passwords, "LOGOUT", "false", "OLD", "", "  set_password:\n", "  gone: {action: delete, path: /me, "+fields+"reply: {status: 200, body: {status: success}}}\n  set_password:\n")
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		a.MustCreateUser(t, "ann", false)
		header := "Token " + a.MustLogin(t, token.Policy(p), "ann")
		for _, step := range steps {
			w := a.Ask(t, "DELETE", "/me", step[0], "Authorization", header)
			if got := w.Result().Status[:3] + " " + w.Body.String(); got != step[1] {
				t.Errorf("%q: %s, want %s", step[0], got, step[1])
			}
		}
		if _, err := a.Engine.User(t.Context(), "ann"); core.KindOf(err) != core.KindUserUnknown {
			t.Errorf("the user is there: %v", err)
		}
		if w := a.Ask(t, "DELETE", "/me", "", "Authorization", header); w.Code != 401 {
			t.Errorf("of nobody: %d %s", w.Code, w.Body)
		}
	}
}
