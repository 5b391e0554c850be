package drf_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestViewset checks what the views of a viewset have in common, of which the example djoser has many: OPTIONS
// describes the fields of one endpoint for all, but not those of others' accounts, and methods that a view
// does not have want a token where the view says so.
func TestViewset(t *testing.T) {
	a := apitest.MustNew(t, apitest.MustLoad(t, "djoser"), sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "john", false)
	a.MustCreateUser(t, "jane", false)
	w := a.Ask(t, "POST", "/auth/token/login/", `{"username":"john","password":"secret"}`, "Content-Type", json)
	key, ok := strings.CutPrefix(w.Body.String(), `{"auth_token":"`)
	if !ok {
		t.Fatal(w.Code, w.Body)
	}
	key = strings.TrimSuffix(key, `"}`)
	const parses = `"parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"]`
	const fields = `{"email":{"type":"email","required":false,"read_only":false,"label":"Email address","max_length":254},` +
		`"id":{"type":"integer","required":false,"read_only":true,"label":"ID"},` +
		`"username":{"type":"string","required":false,"read_only":true,"label":"Username","help_text":"Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only."}}}}`
	for path, end := range map[string]string{
		"/auth/users/":            parses + `,"actions":{"POST":` + fields,
		"/auth/users/activation/": parses + `,"actions":{"POST":` + fields,
		"/auth/users/1/":          parses + `,"actions":{"PUT":` + fields,
		"/auth/users/2/":          parses + `}`,
		"/auth/users/99/":         parses + `}`,
	} {
		if w := a.Ask(t, "OPTIONS", path, "", "Authorization", "Token "+key); w.Code != 200 || !strings.HasSuffix(w.Body.String(), end) {
			t.Errorf("OPTIONS %s: %d %s", path, w.Code, w.Body)
		}
	}
	const missing, notAllowed = `{"detail":"Authentication credentials were not provided."}`, `{"detail":"Method \"GET\" not allowed."}`
	if w := a.Ask(t, "GET", "/auth/users/activation/", ""); w.Code != 401 || w.Body.String() != missing {
		t.Errorf("GET without a token: %d %s", w.Code, w.Body)
	}
	if w := a.Ask(t, "GET", "/auth/users/activation/", "", "Authorization", "Token "+key); w.Code != 405 || w.Body.String() != notAllowed {
		t.Errorf("GET: %d %s", w.Code, w.Body)
	}
	if w := a.Ask(t, "POST", "/auth/users/activation/", "{}", "Content-Type", json); w.Code != 400 {
		t.Errorf("POST without a token: %d %s", w.Code, w.Body)
	}
}

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
