package cors_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/dialects/internal/cors"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// site is an origin that may, other is one that may not.
const site, other = "https://app.example", "https://other.example"

// mustLoad returns a built-in profile with CORS, and without CORS headers of its own.
func mustLoad(t *testing.T, name string, release profiles.CORSRelease) *profiles.Profile {
	p := apitest.MustLoad(t, name)
	p.CORS = &profiles.CORS{
		Origins: []string{site}, Credentials: true, Methods: []string{"GET", "POST"}, Headers: []string{"authorization"}, ExposeHeaders: []string{"X-Total"},
		MaxAge: 600, Paths: "^/", Release: release,
	}
	if p.Family == profiles.PlainJSON {
		p.Headers, p.PreflightHeaders = nil, nil
	}
	return p
}

// headers picks the headers of a reply that CORS is about, in their spelling.
func headers(w *httptest.ResponseRecorder) map[string]string {
	picked := make(map[string]string)
	for name, values := range w.Header() {
		if lower := strings.ToLower(name); lower == "vary" || strings.HasPrefix(lower, "access-control-") || lower == "x-frame-options" {
			picked[name] = strings.Join(values, "|")
		}
	}
	return picked
}

// TestFamilies asks an API of each family: preflights are answered before a token is looked for,
// and of paths that nothing has; every other reply, whatever its status, has what a page of
// another site needs to read it.
func TestFamilies(t *testing.T) {
	for name, of := range map[string]struct{ contentType, body, vary, slashless string }{
		"ocd-users":  {"application/json", `{"username":"john","password":"secret"}`, "Accept, Origin", "/api/logout"},
		"form-auth":  {"application/x-www-form-urlencoded", "username=john&password=secret", "Accept, Origin", ""},
		"authtokens": {"application/json", `{"username":"john","password":"secret"}`, "Origin", ""},
	} {
		p := mustLoad(t, name, profiles.CORS24)
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		a.MustCreateUser(t, "john", false)
		login, _ := p.Endpoint(profiles.Login)
		logout, _ := p.Endpoint(profiles.Logout)
		check := func(what string, w *httptest.ResponseRecorder, status int, want map[string]string) {
			t.Helper()
			got := headers(w)
			if what != "preflight" && what != "preflight of nothing" {
				delete(got, "X-Frame-Options")
			}
			if d := cmp.Diff(want, got); w.Code != status || d != "" {
				t.Errorf("%s, %s: %d %s, headers (-want +got):\n%s", name, what, w.Code, w.Body, d)
			}
		}
		allowed := func(vary string) map[string]string {
			return map[string]string{"Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Origin": site, "Access-Control-Expose-Headers": "X-Total", "Vary": vary}
		}
		preflight := allowed("Origin")
		preflight["Access-Control-Allow-Headers"], preflight["Access-Control-Allow-Methods"], preflight["Access-Control-Max-Age"] = "authorization", "GET, POST", "600"
		for what, path := range map[string]string{"preflight": logout.Path, "preflight of nothing": "/nothing"} {
			w := a.Ask(t, "OPTIONS", path, "", "Origin", site, "Access-Control-Request-Method", "POST", "Authorization", "Token bad")
			check(what, w, 200, preflight)
			if w.Body.Len() != 0 || w.Header().Get("Content-Length") != "0" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s, %s: %q, %v", name, what, w.Body, w.Header())
			}
		}
		check("no token", a.Ask(t, "POST", logout.Path, "", "Origin", site), 401, allowed(of.vary))
		check("no token, no origin", a.Ask(t, "POST", logout.Path, ""), 401, map[string]string{"Vary": of.vary})
		check("another site", a.Ask(t, "POST", logout.Path, "", "Origin", other), 401, map[string]string{"Vary": of.vary, "Access-Control-Allow-Credentials": "true"})
		vary := of.vary
		if p.Family == profiles.FormJSON {
			vary = "Origin" // forms have one format
		}
		check("login", a.Ask(t, "POST", login.Path, of.body, "Content-Type", of.contentType, "Origin", site), 200, allowed(vary))
		if of.slashless != "" {
			check("redirect", a.Ask(t, "POST", of.slashless, "", "Origin", site), 301, allowed("Origin"))
		}
	}
}

// TestReleases holds what later releases say differently.
func TestReleases(t *testing.T) {
	for release, want := range map[profiles.CORSRelease]map[string]string{
		profiles.CORS24: {"Vary": "Accept, Origin", "Access-Control-Allow-Credentials": "true"},
		profiles.CORS40: {"Vary": "Accept, origin", "access-control-allow-credentials": "true"},
		profiles.CORS43: {"Vary": "Accept, origin"},
	} {
		p := mustLoad(t, "ocd-users", release)
		p.CORS.PrivateNetwork = true
		p.Headers = nil
		a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
		if d := cmp.Diff(want, headers(a.Ask(t, "POST", "/api/logout/", "", "Origin", other))); d != "" {
			t.Errorf("%s (-want +got):\n%s", release, d)
		}
		got := headers(a.Ask(t, "POST", "/api/logout/", "", "Origin", site, "Access-Control-Request-Private-Network", "true"))
		if release == profiles.CORS43 && (got["access-control-allow-private-network"] != "true" || got["access-control-allow-origin"] != site) {
			t.Errorf("%s: %v", release, got)
		}
	}
}

// TestPaths leaves what is below none of the paths as it is.
func TestPaths(t *testing.T) {
	p := mustLoad(t, "ocd-users", profiles.CORS24)
	p.CORS.Paths = "^/api/log"
	a := apitest.MustNew(t, p, sqlitetest.MustOpen(t))
	want := map[string]string{"Vary": "Accept", "X-Frame-Options": "DENY"}
	if d := cmp.Diff(want, headers(a.Ask(t, "OPTIONS", "/api/register/", "", "Origin", site, "Access-Control-Request-Method", "POST"))); d != "" {
		t.Error(d)
	}
	if got := headers(a.Ask(t, "OPTIONS", "/api/login/", "", "Origin", site, "Access-Control-Request-Method", "POST")); got["Access-Control-Allow-Origin"] != site {
		t.Error(got)
	}
}

// TestBeforeAnApplication leaves the application its preflights and its answers; those of the
// API, and what is refused in the application's place, have CORS.
func TestBeforeAnApplication(t *testing.T) {
	p := mustLoad(t, "ocd-users", profiles.CORS24)
	engine := core.New(core.Config{Backend: core.Backend{Store: sqlitetest.MustOpen(t)}})
	h, err := dialects.NewBefore(p, engine, func(api front.API) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/needed/":
				if _, ok := api.Authenticate(w, r, true); ok {
					t.Error("no token is let in")
				}
				return
			case "/refused/":
				api.Unknown(w, r)
				return
			}
			w.Header()["Access-Control-Allow-Origin"] = []string{"https://the.application"}
			w.WriteHeader(http.StatusNoContent)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path, origin string
		status               int
	}{
		{"OPTIONS", "/app/", "https://the.application", 204}, {"GET", "/app/", "https://the.application", 204}, {"OPTIONS", "/api/logout/", site, 200},
		{"OPTIONS", "/api/logout", site, 200}, {"POST", "/api/logout/", site, 401}, {"GET", "/needed/", site, 401},
		{"OPTIONS", "/refused/", site, 200}, {"GET", "/refused/", site, 404},
	} {
		r := httptest.NewRequest(test.method, test.path, http.NoBody)
		r.Header.Set("Origin", site)
		if test.method == http.MethodOptions {
			r.Header.Set("Access-Control-Request-Method", "POST")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != test.status || got != test.origin || (w.Header().Get("Vary") == "") != (test.status == 204) {
			t.Errorf("%s %s: %d, %v", test.method, test.path, w.Code, w.Header())
		}
	}
}

// TestVary keeps the place of Cookie, which a middleware above adds later.
func TestVary(t *testing.T) {
	p := &profiles.Profile{CORS: &profiles.CORS{Paths: "^"}}
	for given, want := range map[string]string{"": "Origin", "Accept": "Accept, Origin", "Accept, Cookie": "Accept, Origin, Cookie", "Cookie": "Origin, Cookie", "*": "*", "origin, Accept": "origin, Accept"} {
		if got := vary(t, p, given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

// vary gives the Vary of a reply that had one already.
func vary(t *testing.T, p *profiles.Profile, given string) string {
	t.Helper()
	h := cors.New(p, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		out := wire.Reply{Status: http.StatusOK}
		if given != "" {
			out.Add("Vary", given)
		}
		out.Write(w)
	}), nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	return strings.Join(w.Header()["Vary"], "|")
}
