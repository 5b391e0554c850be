package plainjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestEndedMeanwhile sends requests whose bodies come late: if all tokens have ended before they did, nothing is done.
func TestEndedMeanwhile(t *testing.T) {
	for _, ended := range []bool{true, false} {
		for path, r := range map[string][2]string{"/password": {"POST", `{"new":"evil password"}`}, "/me": {"DELETE", `{"now":"secret"}`}} {
			p := apitest.MustParse(t, `
name: stolen
family: plainjson
stack: views-1.6
tokens: {hex: 40, ttl: 24h, per_user: many}
errors: {body: {error: $message}}
endpoints:
  set_password: {path: /password, fields: {new: {role: password}}, reply: {status: 200, body: {status: success}}}
  delete: {path: /me, fields: {now: {role: current_password}}, reply: {status: 200, body: {status: success}}}
`)
			a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
			a.MustCreateUser(t, "ann", false)
			session, err := a.Engine.Login(t.Context(), token.Policy(p), "ann", "secret")
			if err != nil {
				t.Fatal(err)
			}
			w := a.AskSlowly(t, func() {
				if !ended {
					return
				}
				if err := a.Engine.LogoutAll(t.Context(), session); err != nil {
					t.Error(err)
				}
			}, r[0], path, r[1], "Authorization", "Token "+session.Key)
			status, want := 200, `{"status": "success"}`
			if ended {
				status, want = 401, `{"error": "Invalid token"}`
			}
			if w.Code != status || w.Body.String() != want {
				t.Errorf("%s, ended %t: %d %s", path, ended, w.Code, w.Body)
			}
			if _, err := a.Engine.Login(t.Context(), core.Policy{TokenHex: 40}, "ann", "secret"); (err == nil) != ended {
				t.Errorf("%s, ended %t: login %v", path, ended, err)
			}
		}
	}
}
