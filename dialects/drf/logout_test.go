package drf_test

import (
	"context"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// restAuth is the logout of dj-rest-auth, whose view has a GET even where that is switched off.
const restAuth = `name: rest-auth
family: drf
stack: drf-3.14
authentication: [session, token]
errors: {non_field: errors}
tokens: {hex: 40, ttl: never, per_user: one}
endpoints:
  logout:
    path: /logout/
    access: open
    view: {allow: [GET, POST, HEAD, OPTIONS]}
    reply: {status: 200, body: {detail: Successfully logged out.}}
  login:
    path: /login/
    fields: {username: {}, password: {}}
    reply: {status: 200, body: {key: $token.key}}
  register:
    path: /register/
    fields: {username: {}, password: {}}
    reply: {status: 204}
`

// TestOpenLogout logs out with a token, without one, and with a bad one (dj-rest-auth 5.0.2,
// views.py, LogoutView).
func TestOpenLogout(t *testing.T) {
	for _, get := range []bool{false, true} {
		text := restAuth
		if get {
			text = strings.Replace(text, "    access: open", "    access: open\n    methods: [POST, GET]", 1)
		}
		p := apitest.MustParse(t, text)
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		a.MustCreateUser(t, "ann", false)
		const out, off = `200 {"detail":"Successfully logged out."} [GET, POST, HEAD, OPTIONS]`, `405 {"detail":"Method \"GET\" not allowed."} [GET, POST, HEAD, OPTIONS]`
		for _, method := range []string{"POST", "GET"} {
			key := a.MustLogin(t, token.Policy(p), "ann")
			want, ended := out, true
			if method == "GET" && !get {
				want, ended = off, false
			}
			for header, want := range map[string]string{
				"": want, "Token " + key: want, "Token " + strings.Repeat("0", 40): `403 {"detail":"Invalid token."} [GET, POST, HEAD, OPTIONS]`,
			} {
				headers := []string{"Authorization", header}
				if header == "" {
					headers = nil
				}
				w := a.Ask(t, method, "/logout/", "", headers...)
				if got := outcome(w, w.Body.String()); got != want || w.Header().Get("Vary") != "Accept, Cookie" {
					t.Errorf("%s with %.10q: %s, Vary %q, want %s", method, header, got, w.Header().Get("Vary"), want)
				}
			}
			_, err := a.Engine.Authenticate(t.Context(), token.Policy(p), core.Presented(key))
			if (err != nil) != ended {
				t.Errorf("%s: the token's end: %v", method, err)
			}
		}
	}
}

// TestNonFieldErrors are under the key that the profile names.
func TestNonFieldErrors(t *testing.T) {
	a := apitest.MustNew(t, apitest.MustParse(t, restAuth), sqlitetest.MustOpen(t))
	for body, want := range map[string]string{
		`{"username": "ann", "password": "x"}`: `{"errors":["Unable to log in with provided credentials."]}`,
		"null":                                 `{"errors":["No data provided"]}`,
		"[]":                                   `{"errors":["Invalid data. Expected a dictionary, but got list."]}`,
	} {
		if w := a.Ask(t, "POST", "/login/", body, "Content-Type", json); w.Code != 400 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
}

// counting counts tokens that are made with users.
type counting struct {
	core.Store
	tokens int
}

// CreateUser implements core.Store.
func (s *counting) CreateUser(ctx context.Context, u core.NewUser, token func(core.User) (core.Token, error), audit *core.AuditEntry) (core.User, error) {
	if token != nil {
		s.tokens++
	}
	return s.Store.CreateUser(ctx, u, token, audit)
}

// TestRegistrationWithoutToken makes no token that no reply shows.
func TestRegistrationWithoutToken(t *testing.T) {
	for body, want := range map[string]int{"{status: 204}": 0, "{status: 201, body: {id: $user.id}}": 0, "{status: 201, body: {a: [{b: 'x ${token.key}'}]}}": 1} {
		store := &counting{Store: sqlitetest.MustOpen(t)}
		a := apitest.MustNew(t, apitest.MustParse(t, strings.Replace(restAuth, "{status: 204}", body, 1)), store)
		if w := a.Ask(t, "POST", "/register/", `{"username": "ann", "password": "secret"}`, "Content-Type", json); w.Code >= 300 || store.tokens != want {
			t.Errorf("%s: %d %s, %d tokens", body, w.Code, w.Body, store.tokens)
		}
	}
}
