package drf_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestReadOnlyToken checks that a login describes the token that it shows as genuine
// obtain_auth_token does, and looks at nothing that is sent for it.
func TestReadOnlyToken(t *testing.T) {
	a := apitest.MustNew(t, apitest.MustLoad(t, "drf-authtoken"), sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "john", false)
	const fields = `"actions":{"POST":{"username":{"type":"string","required":true,"read_only":false,"label":"Username"},` +
		`"password":{"type":"string","required":true,"read_only":false,"label":"Password"},` +
		`"token":{"type":"string","required":false,"read_only":true,"label":"Token"}}}}`
	if w := a.Ask(t, "OPTIONS", "/api-token-auth/", ""); w.Code != 200 || !strings.HasSuffix(w.Body.String(), fields) {
		t.Errorf("OPTIONS: %d %s", w.Code, w.Body)
	}
	const wrong = `{"non_field_errors":["Unable to log in with provided credentials."]}`
	for _, sent := range []string{`"x"`, `null`, `[]`, `""`} {
		w := a.Ask(t, "POST", "/api-token-auth/", `{"username":"john","password":"no","token":`+sent+`}`, "Content-Type", json)
		if w.Code != 400 || w.Body.String() != wrong {
			t.Errorf("with token %s: %d %s", sent, w.Code, w.Body)
		}
	}
}
