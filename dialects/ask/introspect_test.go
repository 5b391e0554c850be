package ask_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/ask"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

const formType = "application/x-www-form-urlencoded"

func basic(name, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
}

// introspect asks as the caller does.
func (a *asked) introspect(t *testing.T, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	return a.send(t, http.MethodPost, target, strings.NewReader(body), http.Header{"Authorization": {basic("service", secret)}, "Content-Type": {formType}})
}

// undated is a store whose tokens an older server issued, which did not keep when.
type undated struct{ core.Store }

func (s undated) FindToken(ctx context.Context, realm string, p core.Presented) (core.Token, core.User, error) {
	t, u, err := s.Store.FindToken(ctx, realm, p)
	t.CreatedAt = time.Time{}
	return t, u, err
}

// TestIntrospectUndated has no iat where it is not known when the token was issued.
func TestIntrospectUndated(t *testing.T) {
	a := newAsked(t, "ocd-users", undated{sqlitetest.MustOpen(t)})
	if w := a.introspect(t, "/introspect", "token="+a.token); !strings.Contains(w.Body.String(), `"active":true`) || strings.Contains(w.Body.String(), "iat") {
		t.Error(w.Body)
	}
}

// TestIntrospect tells what is known of good tokens, and of others that they are none.
func TestIntrospect(t *testing.T) {
	store := sqlitetest.MustOpen(t)
	a := newAsked(t, "ocd-users", store)
	policy := dialects.Policy(a.profile)
	session, err := a.Engine.Authenticate(t.Context(), policy, core.Presented(a.token))
	if err != nil {
		t.Fatal(err)
	}
	forever := policy
	forever.TTL = 0
	endless := a.MustLogin(t, forever, "ann")
	expiring := policy
	expiring.TTL = time.Nanosecond
	expired := a.MustLogin(t, expiring, "ann")
	foreign := policy
	foreign.Realm = "another"
	other := a.MustLogin(t, foreign, "ann")
	a.MustCreateUser(t, "bob", false)
	inactive := a.MustLogin(t, policy, "bob")
	bob, err := a.Engine.User(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SetActive(t.Context(), bob.ID, false, nil); err != nil {
		t.Fatal(err)
	}
	endlessly, err := a.Engine.Authenticate(t.Context(), forever, core.Presented(endless))
	if err != nil {
		t.Fatal(err)
	}
	issued := func(s core.Session) string {
		return fmt.Sprintf(`"iat":%d,"token_type":"Token"}`, s.Token.CreatedAt.Unix())
	}
	const none = `{"active":false}`
	for body, want := range map[string]string{
		"token=" + a.token: fmt.Sprintf(`{"active":true,"username":"ann","sub":"%d","exp":%d,`, session.User.ID, session.Token.ExpiresAt.Unix()) + issued(session),
		"token_type_hint=refresh_token&token=" + a.token + "&other=1": fmt.Sprintf(`{"active":true,"username":"ann","sub":"%d","exp":%d,`, session.User.ID, session.Token.ExpiresAt.Unix()) + issued(session),
		"token=" + endless:                  fmt.Sprintf(`{"active":true,"username":"ann","sub":"%d",`, session.User.ID) + issued(endlessly),
		"token=" + expired:                  none,
		"token=" + other:                    none,
		"token=" + inactive:                 none,
		"token=unknown":                     none,
		"token=Token+" + a.token:            none,
		"token=%ff":                         none,
		"token=%00":                         none,
		"token=" + a.token + "%20":          none,
		"token=" + a.token[:len(a.token)-1]: none,
	} {
		for _, target := range []string{"/introspect", "/ocd-users/introspect", "/introspect?token=" + endless} {
			w := a.introspect(t, target, body)
			if w.Code != http.StatusOK || w.Body.String() != want || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s with %s: %d %v %s, want %s", target, body, w.Code, w.Header(), w.Body, want)
			}
		}
	}
}

// TestIntrospectRefusals has callers who are none, and bodies that are no form with one token.
func TestIntrospectRefusals(t *testing.T) {
	a := newAsked(t, "snippit", sqlitetest.MustOpen(t))
	good := "token=" + a.token
	own := []string{basic("service", secret)}
	for name, test := range map[string]struct {
		method, kind, body string
		authorization      []string
		want               string
	}{
		"nobody":             {body: good, want: "401 invalid_client"},
		"another name":       {body: good, authorization: []string{basic("other", secret)}, want: "401 invalid_client"},
		"no name":            {body: good, authorization: []string{basic("", secret)}, want: "401 invalid_client"},
		"another secret":     {body: good, authorization: []string{basic("service", secret+" ")}, want: "401 invalid_client"},
		"no secret":          {body: good, authorization: []string{basic("service", "")}, want: "401 invalid_client"},
		"the digest":         {body: good, authorization: []string{basic("service", "sha256:"+digest(secret))}, want: "401 invalid_client"},
		"the token itself":   {body: good, authorization: []string{"Token " + a.token}, want: "401 invalid_client"},
		"bearer":             {body: good, authorization: []string{"Bearer " + secret}, want: "401 invalid_client"},
		"two headers":        {body: good, authorization: []string{own[0], own[0]}, want: "401 invalid_client"},
		"secret in the body": {body: good + "&client_id=service&client_secret=" + url.QueryEscape(secret), want: "401 invalid_client"},
		"encoded":            {body: good, authorization: []string{basic("service", url.QueryEscape(secret))}, want: "200 "},
		"as it is":           {body: good, authorization: own, want: "200 "},
		"with a charset":     {body: good, kind: formType + "; charset=utf-8", authorization: own, want: "200 "},
		"JSON":               {body: `{"token": "` + a.token + `"}`, kind: "application/json", authorization: own, want: "400 invalid_request"},
		"a form as JSON":     {body: good, kind: "application/json", authorization: own, want: "400 invalid_request"},
		"no type":            {body: good, kind: "-", authorization: own, want: "400 invalid_request"},
		"no token":           {body: "x=1", authorization: own, want: "400 invalid_request"},
		"an empty token":     {body: "token=", authorization: own, want: "400 invalid_request"},
		"two tokens":         {body: good + "&" + good, authorization: own, want: "400 invalid_request"},
		"broken escapes":     {body: good + "&x=%zz", authorization: own, want: "400 invalid_request"},
		"large":              {body: good + "&x=" + strings.Repeat("x", 16<<10), authorization: own, want: "413 invalid_request"},
		"GET":                {method: http.MethodGet, authorization: own, want: "405 "},
		"PUT":                {method: http.MethodPut, body: good, authorization: own, want: "405 "},
	} {
		h := http.Header{"Content-Type": {formType}}
		switch {
		case test.kind == "-":
			h.Del("Content-Type")
		case test.kind != "":
			h.Set("Content-Type", test.kind)
		}
		if test.authorization != nil {
			h["Authorization"] = test.authorization
		}
		if test.method == "" {
			test.method = http.MethodPost
		}
		w := a.send(t, test.method, "/introspect", strings.NewReader(test.body), h)
		_, reason, _ := strings.Cut(w.Body.String(), `{"error":"`)
		if got := fmt.Sprintf("%d %s", w.Code, strings.TrimSuffix(reason, `"}`)); got != test.want {
			t.Errorf("%s: %s, want %s: %s", name, got, test.want, w.Body)
		}
		challenge := map[string][]string(w.Header())["WWW-Authenticate"]
		if (w.Code == http.StatusUnauthorized) != (len(challenge) == 1 && strings.HasPrefix(challenge[0], "Basic ")) {
			t.Errorf("%s: %d with challenge %q", name, w.Code, challenge)
		}
	}
}

// TestIntrospectUnoffered has no callers: there is nothing.
func TestIntrospectUnoffered(t *testing.T) {
	a := newAsked(t, "snippit", sqlitetest.MustOpen(t))
	gate, err := dialects.NewGate(a.profile, a.Engine)
	if err != nil {
		t.Fatal(err)
	}
	api := ask.New(ask.Options{Profile: a.profile, Gate: gate, Engine: a.Engine})
	a.handler = ask.NewMux(map[string]http.Handler{"snippit": api}, http.HandlerFunc(ask.NotFound))
	if w := a.introspect(t, "/introspect", "token="+a.token); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
	a.handler = ask.NewMux(map[string]http.Handler{"snippit": api, "another": api}, http.HandlerFunc(ask.NotFound))
	if w := a.send(t, http.MethodGet, "/another/request", nil, authorization("Token "+a.token)); w.Code != http.StatusNoContent {
		t.Errorf("of two profiles: %d", w.Code)
	}
}

// TestParseCallers reads files, and names what is wrong with them without what may be a secret.
func TestParseCallers(t *testing.T) {
	const line = "service: sha256:"
	good := digest("x")
	for text, want := range map[string]string{
		"# two secrets\n\n" + line + good + "\n  " + line + digest("y") + "  \r\na.b-C_9:sha256:" + good: "",
		"":                                    "f:1:1: no callers: want lines of the form NAME: sha256:HEX",
		"# " + line + good:                    "f:1:1: no callers: want lines of the form NAME: sha256:HEX",
		"hunter2":                             "f:1:1: want NAME: sha256:HEX, where a name is 1 to 64 letters, digits and . _ -",
		"hunter 2: sha256:" + good:            "f:1:1: want NAME: sha256:HEX, where a name is 1 to 64 letters, digits and . _ -",
		strings.Repeat("a", 65) + ": " + good: "f:1:1: want NAME: sha256:HEX, where a name is 1 to 64 letters, digits and . _ -",
		"\nservice: hunter2\nx: y":            "f:2:1: service: want sha256: and 64 hex digits, the digest of the secret\nf:3:1: x: want sha256: and 64 hex digits, the digest of the secret",
		"service: " + good:                    "f:1:1: service: want sha256: and 64 hex digits, the digest of the secret",
		line + good + "00":                    "f:1:1: service: want sha256: and 64 hex digits, the digest of the secret",
		line + good[:62]:                      "f:1:1: service: want sha256: and 64 hex digits, the digest of the secret",
		line + digest(""):                     "f:1:1: service: this is the digest of nothing: the secret is empty",
	} {
		got := ""
		if _, err := ask.ParseCallers("f", []byte(text)); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	c, err := ask.ParseCallers("f", []byte(line+good+"\n"+line+digest("y")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]bool{"x": true, "y": true, "z": false, "xy": false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/introspect", nil)
		r.SetBasicAuth("service", secret)
		if c.Authenticate(r) != want {
			t.Errorf("secret %s of two: want %t", secret, want)
		}
	}
}

// FuzzParseCallers checks that nothing makes it panic, and that no error shows a line's value.
func FuzzParseCallers(f *testing.F) {
	f.Add("service: hunter2-hunter2")
	f.Add("# x\nservice: sha256:" + digest("x"))
	f.Fuzz(func(t *testing.T, text string) {
		const planted = "hunter2-hunter2"
		_, err := ask.ParseCallers("f", []byte(text+"\nservice: "+planted+"\n"))
		if err == nil || strings.Contains(err.Error(), planted) && !strings.Contains(text, planted) {
			t.Errorf("%v", err)
		}
	})
}
