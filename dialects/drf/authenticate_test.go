package drf_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// classes is an API whose endpoint asks in an order that a test puts in the place of CLASSES.
const classes = `name: classes
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: 10h, per_user: one}
endpoints:
  who:
    action: account
    path: /who/
    methods: [GET, POST]
    authentication: CLASSES
    reply: {status: 200, body: {name: $user.username, expiry: $token.expiry}}
  login:
    path: /login/
    authentication: CLASSES
    renderers: [json]
    fields: {username: {}, password: {}}
    reply: {status: 200}
  logout:
    path: /logout/
    authentication: CLASSES
    reply: {status: 204}
`

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// TestClasses asks views with several classes of authentication who they take a client for: the
// first that knows or raises ends it, and the first of all decides between 401 and 403
// (rest_framework/request.py, _authenticate; views.py, get_authenticate_header).
func TestClasses(t *testing.T) {
	const missing = `{"detail":"Authentication credentials were not provided."}`
	const invalid, wrong = `{"detail":"Invalid token."}`, `{"detail":"Invalid username/password."}`
	const ann = `200 {"name":"ann","expiry":null} "" `
	tokenOf := strings.NewReplacer("KEY", "")
	for _, test := range []struct{ classes, path, header, want string }{
		{"[token]", "/who/", "", "401 " + missing + ` "Token" Accept`},
		{"[token]", "/who/", basic("ann:secret"), "401 " + missing + ` "Token" Accept`},
		{"[basic, token]", "/who/", "", "401 " + missing + ` "Basic realm=\"api\"" Accept`},
		{"[{basic: My site}]", "/who/", "", "401 " + missing + ` "Basic realm=\"My site\"" Accept`},
		{"[basic, token]", "/who/", "Token x", "401 " + invalid + ` "Basic realm=\"api\"" Accept`},
		{"[token, basic]", "/who/", basic("ann:secret"), ann + "Accept"},
		{"[token, basic]", "/who/", basic("ann:wrong"), "401 " + wrong + ` "Token" Accept`},
		{"[session, basic]", "/who/", "", "403 " + missing + ` "" Accept, Cookie`},
		{"[session, basic]", "/who/", basic("ann:secret"), ann + "Accept, Cookie"},
		{"[session, basic]", "/who/", "Basic", `403 {"detail":"Invalid basic header. No credentials provided."} "" Accept, Cookie`},
		{"[basic, session]", "/who/", basic("ann:secret"), ann + "Accept"},
		{"[basic, session]", "/who/", "", "401 " + missing + ` "Basic realm=\"api\"" Accept, Cookie`},
		{"[session, token]", "/who/", "Token x", "403 " + invalid + ` "" Accept, Cookie`},
		{"[session]", "/who/", "Token KEY", "403 " + missing + ` "" Accept, Cookie`},
		{"[token, {token: Bearer}]", "/who/", "Bearer KEY", `200 {"name":"ann","expiry":"2E"} "" Accept`},
		{"[token, {token: Bearer}]", "/who/", "token KEY", `200 {"name":"ann","expiry":"2E"} "" Accept`},
		{"[token, {token: Bearer}]", "/who/", "Bearer x", "401 " + invalid + ` "Token" Accept`},
		{"[basic]", "/who/", "bAsIc \t YW5uOnNlY3JldA==", ann + "Accept"},
		{"[basic]", "/who/", "Basic YW5u OnNlY3JldA==", `401 {"detail":"Invalid basic header. Credentials string should not contain spaces."} "Basic realm=\"api\"" Accept`},
		{"[basic]", "/who/", "Basic =a=", `401 {"detail":"Invalid basic header. Credentials not correctly base64 encoded."} "Basic realm=\"api\"" Accept`},
		{"[basic]", "/who/", "Basic %YW5u*OnNlY3JldA==and=more", ann + "Accept"},
		{"[basic]", "/who/", basic("ann"), "401 " + wrong + ` "Basic realm=\"api\"" Accept`},
		{"[basic]", "/who/", basic("nobody:secret"), "401 " + wrong + ` "Basic realm=\"api\"" Accept`},
		{"[basic]", "/who/", basic("gone:secret"), "401 " + wrong + ` "Basic realm=\"api\"" Accept`},
		{"[basic]", "/who/", basic("jürgen:se:cret"), `200 {"name":"jürgen","expiry":null} "" Accept`},
		{"[basic]", "/who/", basic("j\xfcrgen:se:cret"), `200 {"name":"jürgen","expiry":null} "" Accept`},
		{"[session, token]", "/login/", "Token x", "403 " + invalid + ` "" Cookie`},
		{"[session, token]", "/login/", "", `400 {"username":["This field is required."],"password":["This field is required."]} "" Cookie`},
		{"[token]", "/login/", "Token x", "401 " + invalid + ` "Token" `},
		{"[token]", "/login/", basic("ann:wrong"), `400 {"username":["This field is required."],"password":["This field is required."]} "" `},
		{"[token, basic]", "/login/", basic("ann:wrong"), "401 " + wrong + ` "Token" `},
		{"[]", "/login/", "Token x", `400 {"username":["This field is required."],"password":["This field is required."]} "" `},
		{"[session, basic]", "/login/?" + strings.Repeat("a=1&", 1001), "Token x", `400 page "" ` /* refused before anybody is asked */},
	} {
		text := strings.ReplaceAll(classes, "CLASSES", test.classes)
		if test.classes == "[]" {
			text = strings.Replace(strings.ReplaceAll(classes, "CLASSES", "[token]"), "/login/\n    authentication: [token]", "/login/\n    authentication: []", 1)
		}
		p := apitest.MustParse(t, text)
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		a.MustCreateUser(t, "ann", false)
		a.MustCreateUser(t, "gone", true)
		if _, err := a.Engine.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "jürgen", Password: "se:cret"}); err != nil {
			t.Fatal(err)
		}
		header := test.header
		if strings.Contains(header, "KEY") {
			header = tokenOf.Replace(header) + a.MustLogin(t, token.Policy(p), "ann")
		}
		headers := []string{"Authorization", header}
		if header == "" {
			headers = nil
		}
		w := a.Ask(t, "POST", test.path, "", headers...)
		body := w.Body.String()
		if i := strings.Index(body, `"expiry":"2`); i >= 0 {
			body = body[:i] + `"expiry":"2E"}`
		}
		if strings.Contains(body, "<html") {
			body = "page"
		}
		got := fmt.Sprintf("%d %s %q %s", w.Code, body, strings.Join(spelled(w.Header(), "WWW-Authenticate"), "|"), strings.Join(spelled(w.Header(), "Vary"), "|"))
		if got != test.want {
			t.Errorf("%s %.20s with %q:\n got %s\nwant %s", test.classes, test.path, test.header, got, test.want)
		}
	}
}

// TestLogoutByPassword ends the one token of a user who gives a password, and, where there are
// many, none.
func TestLogoutByPassword(t *testing.T) {
	for perUser, want := range map[profiles.PerUser]int{profiles.OnePerUser: 204, profiles.ManyPerUser: 401} {
		p := apitest.MustParse(t, strings.ReplaceAll(classes, "CLASSES", "[token, basic]"))
		p.Tokens.PerUser = perUser
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		a.MustCreateUser(t, "ann", false)
		key := a.MustLogin(t, token.Policy(p), "ann")
		if w := a.Ask(t, "POST", "/logout/", "", "Authorization", basic("ann:secret")); w.Code != want {
			t.Errorf("%s: %d %s", perUser, w.Code, w.Body)
		}
		good := a.Ask(t, "GET", "/who/", "", "Authorization", "Token "+key).Code == 200
		if good != (perUser == profiles.ManyPerUser) {
			t.Errorf("%s: the token is good: %t", perUser, good)
		}
	}
}

// TestKnoxLogin gives a token to whoever the view recognises, and reads no body
// (knox/views.py, LoginView).
func TestKnoxLogin(t *testing.T) {
	p := apitest.MustParse(t, `name: knox-like
family: drf
stack: drf-3.14
authentication: [token]
tokens: {hex: 64, ttl: 10h, per_user: many}
endpoints:
  login: {path: /login/, access: token, authentication: [session, basic, token], reply: {status: 200, body: {user: $user.username, token: $token.key}}}
  logout: {path: /logout/, reply: {status: 204}}
`)
	p.Tokens.Limit = 2
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "ann", false)
	login := func(method, header string) string {
		t.Helper()
		w := a.Ask(t, method, "/login/", "{broken", "Authorization", header, "Content-Type", "no/type")
		return fmt.Sprintf("%d %s", w.Code, w.Body)
	}
	if got := login("GET", basic("ann:secret")); got != `405 {"detail":"Method \"GET\" not allowed."}` {
		t.Error(got)
	}
	first := login("POST", basic("ann:secret"))
	if !strings.HasPrefix(first, `200 {"user":"ann","token":"`) {
		t.Fatal(first)
	}
	key := strings.TrimSuffix(first[len(`200 {"user":"ann","token":"`):], `"}`)
	if second := login("POST", "Token "+key); !strings.HasPrefix(second, `200 {"user":"ann","token":"`) || second == first {
		t.Error(second)
	}
	const limit = `403 {"error":"Maximum amount of tokens allowed per user exceeded."}`
	for _, header := range []string{basic("ann:secret"), "Token " + key} { // GET has issued none
		if got := login("POST", header); got != limit {
			t.Errorf("%.10s: %s", header, got)
		}
	}
	for header, want := range map[string]string{
		basic("ann:wrong"): `403 {"detail":"Invalid username/password."}`, "": `403 {"detail":"Authentication credentials were not provided."}`, "Token x": `403 {"detail":"Invalid token."}`,
	} {
		if got := login("POST", header); got != want {
			t.Errorf("%.10s: %s, want %s", header, got, want)
		}
	}
	if w := a.Ask(t, "POST", "/logout/", "", "Authorization", "Token "+key); w.Code != 204 {
		t.Errorf("logout: %d %s", w.Code, w.Body)
	}
	if got := login("POST", basic("ann:secret")); !strings.HasPrefix(got, "200") {
		t.Errorf("after a logout: %s", got)
	}
}

// TestGateOfClasses asks the gate of an API whose endpoints take tokens and whose profile asks
// for passwords: the application behind it gets what the profile's views would let in.
func TestGateOfClasses(t *testing.T) {
	p := apitest.MustParse(t, strings.Replace(strings.ReplaceAll(classes, "CLASSES", "[token]"), "tokens:", "authentication: [session, basic]\ntokens:", 1))
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "ann", false)
	key := a.MustLogin(t, token.Policy(p), "ann")
	var gate front.API
	if _, err := dialects.NewBefore(p, a.Engine, func(api front.API) http.Handler { gate = api; return http.NotFoundHandler() }); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"": `403 {"detail":"Authentication credentials were not provided."} Cookie`, "Token " + key: `403 {"detail":"Authentication credentials were not provided."} Cookie`,
		basic("ann:wrong"): `403 {"detail":"Invalid username/password."} Cookie`, basic("ann:secret"): "ann",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/app/", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		w := httptest.NewRecorder()
		session, ok := gate.Authenticate(w, r, true)
		got := ""
		if ok {
			got = session.User.Username
		} else {
			got = fmt.Sprintf("%d %s %s", w.Code, w.Body, w.Header().Get("Vary"))
		}
		if got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
		if ok && (gate.Ended(r) || gate.User(r, "who") != "ann") {
			t.Errorf("%q: ended %t, of %q", header, gate.Ended(r), gate.User(r, "who"))
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/logout/", nil)
	r.Header.Set("Authorization", "Token "+key)
	if user := gate.User(r, "logout"); user != "ann" {
		t.Errorf("a logout is of %q", user)
	}
}
