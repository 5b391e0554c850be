package drf_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/token"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

const json = "application/json"

// TestTokenIsRequired asks endpoints that need a token without one that is good: each
// reply is a 401 with the challenge, and nothing is done.
func TestTokenIsRequired(t *testing.T) {
	p := apitest.MustLoad(t, "ocd-users")
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "john", false)
	key := a.MustLogin(t, token.Policy(p), "john")
	const missing, invalid = `{"detail":"Authentication credentials were not provided."}`, `{"detail":"Invalid token."}`
	for _, test := range []struct{ header, body string }{
		{"", missing}, {"Bearer " + key, missing}, {key, missing}, {"Toke " + key, missing},
		{"Token", `{"detail":"Invalid token header. No credentials provided."}`},
		{"Token " + key + " x", `{"detail":"Invalid token header. Token string should not contain spaces."}`},
		{"Token " + key[:63], invalid}, {"Token " + key + "0", invalid}, {"Token " + strings.Repeat("0", 64), invalid},
	} {
		for _, path := range []string{"/api/logout/", "/api/logoutall/"} {
			headers := []string{"Authorization", test.header}
			if test.header == "" {
				headers = nil
			}
			w := a.Ask(t, "POST", path, "", headers...)
			if w.Code != 401 || w.Body.String() != test.body || strings.Join(spelled(w.Header(), "WWW-Authenticate"), "|") != "Token" {
				t.Errorf("%s with %q: %d %s, %v", path, test.header, w.Code, w.Body, w.Header())
			}
		}
	}
	if w := a.Ask(t, "POST", "/api/logout/", "", "Authorization", "Token "+key); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("with its token: %d %s", w.Code, w.Body)
	}
	if w := a.Ask(t, "POST", "/api/logout/", "", "Authorization", "Token "+key); w.Code != 401 || w.Body.String() != invalid {
		t.Errorf("once more: %d %s", w.Code, w.Body)
	}
}

// spelled returns the values of a header in exactly this spelling.
func spelled(h http.Header, name string) []string { return h[name] }

// TestRealmOfAProfile checks that an API with a realm of its own takes its own tokens, and
// none of others.
func TestRealmOfAProfile(t *testing.T) {
	p := apitest.MustLoad(t, "ocd-users")
	others := token.Policy(p)
	p.Tokens.Realm = "apart"
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	a.MustCreateUser(t, "john", false)
	for want, policy := range map[int]core.Policy{401: others, 204: token.Policy(p)} {
		key := a.MustLogin(t, policy, "john")
		if w := a.Ask(t, "POST", "/api/logout/", "", "Authorization", "Token "+key); w.Code != want {
			t.Errorf("a token of realm %s: %d, want %d", policy.Realm, w.Code, want)
		}
	}
}

// TestInactiveLogin checks what a login says of an inactive user: in most versions what it
// says of a wrong password.
func TestInactiveLogin(t *testing.T) {
	for profile, test := range map[string]struct{ path, hidden, revealed string }{
		"ocd-users": {"/api/login/", `{"non_field_errors":["Unable to log in with provided credentials."]}`, ""},
		"snippit":   {"/api/account/login/", "", "disabled"},
	} {
		p := apitest.MustLoad(t, profile)
		for _, e := range p.Endpoints {
			if e.Action == profiles.Login {
				test.path = e.Path
			}
		}
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		a.MustCreateUser(t, "ghost", true)
		wrong := a.Ask(t, "POST", test.path, `{"username": "ghost", "password": "wrong"}`, "Content-Type", json)
		right := a.Ask(t, "POST", test.path, `{"username": "ghost", "password": "secret"}`, "Content-Type", json)
		if test.hidden != "" && (right.Body.String() != test.hidden || wrong.Body.String() != test.hidden || right.Code != 400 || wrong.Code != 400) {
			t.Errorf("%s: right %d %s, wrong %d %s", profile, right.Code, right.Body, wrong.Code, wrong.Body)
		}
		if test.revealed != "" && (!strings.Contains(right.Body.String(), test.revealed) || strings.Contains(wrong.Body.String(), test.revealed)) {
			t.Errorf("%s: right %d %s, wrong %d %s", profile, right.Code, right.Body, wrong.Code, wrong.Body)
		}
	}
}

// brokenStore fails with an error that clients must not see.
type brokenStore struct {
	core.Store
	err error
}

func (s brokenStore) Account(context.Context, string) (core.Account, error) {
	return core.Account{}, s.err
}

// TestCausesAreNotSent checks that clients are not told why a store fails.
func TestCausesAreNotSent(t *testing.T) {
	for status, err := range map[int]error{500: errors.New("cause-of-it"), 503: errors.Join(core.ErrUnavailable, errors.New("cause-of-it"))} {
		a := apitest.MustNew(t, apitest.MustLoad(t, "ocd-users"), brokenStore{err: err})
		w := a.Ask(t, "POST", "/api/login/", `{"username": "john", "password": "secret"}`, "Content-Type", json)
		if w.Code != status || strings.Contains(w.Body.String(), "cause") {
			t.Errorf("%d %s, want %d without its cause", w.Code, w.Body, status)
		}
		if retry := w.Header().Get("Retry-After") != ""; retry != (status == 503) {
			t.Errorf("%d: Retry-After %t", status, retry)
		}
	}
}

// TestMemoryIsErased lets requests of two users use the same memory in turn: neither sees
// anything of the other.
func TestMemoryIsErased(t *testing.T) {
	p := apitest.MustLoad(t, "snippit")
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	keys := map[string]string{}
	for _, name := range []string{"ann", "a-much-longer-name"} {
		a.MustCreateUser(t, name, false)
		keys[name] = a.MustLogin(t, token.Policy(p), name)
	}
	for range 3 {
		for name, key := range keys {
			w := a.Ask(t, "GET", "/api/account/"+name+"/", "", "Authorization", p.Scheme+" "+key)
			if w.Code != 200 || !strings.Contains(w.Body.String(), `"`+name+`"`) {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
			for other := range keys {
				if other != name && strings.Contains(w.Body.String(), other) {
					t.Errorf("%s sees %s: %s", name, other, w.Body)
				}
			}
		}
		if w := a.Ask(t, "GET", "/api/account/ann/", ""); w.Code != 401 {
			t.Errorf("without a token: %d %s", w.Code, w.Body)
		}
	}
}

// TestRefusedLogins checks how a login is answered that the server could not serve.
func TestRefusedLogins(t *testing.T) {
	apitest.RunRefusals(t, apitest.MustLoad(t, "ocd-users"), "/api/login/", "application/json", `{"username": "john", "password": "secret"}`, map[core.Kind]int{
		core.KindInternal: 500, core.KindUnavailable: 503, core.KindOverloaded: 429, core.KindThrottled: 429, core.KindCanceled: 503,
	})
}
