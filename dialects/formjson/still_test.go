package formjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestEndedMeanwhile sends requests whose bodies come late: if all tokens have ended before they did, nothing is done.
func TestEndedMeanwhile(t *testing.T) {
	p := apitest.MustParse(t, `
name: stolen
family: formjson
stack: forms-2.2
tokens: {hex: 40, ttl: 24h, per_user: many}
errors: {body: {errors: $errors}}
endpoints:
  set_password: {path: /password, fields: {new: {role: password}}, reply: {status: 200, body: {status: success}}}
  delete: {path: /me, fields: {now: {role: current_password}}, reply: {status: 200, body: {status: success}}}
`)
	apitest.RunEnded(t, p, func() core.Store { return sqlitetest.MustOpen(t) }, []apitest.Late{
		{Method: "POST", Path: "/password", Body: `new=evil+password`, ContentType: "application/x-www-form-urlencoded"},
		{Method: "DELETE", Path: "/me", Body: `now=secret`, ContentType: "application/x-www-form-urlencoded"},
	}, `{"status": "success"}`, `{"detail":"Invalid token."}`)
}
