package route

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/profiles"
)

func serve(t *testing.T, slash profiles.TrailingSlash, target string) (endpoint string, reply *http.Response) {
	t.Helper()
	p := &profiles.Profile{
		TrailingSlash: slash,
		Headers:       []profiles.Header{{Name: "X-Frame-Options", Value: "DENY"}, {Name: "Referrer-Policy", Value: "same-origin"}},
		Endpoints: []profiles.Endpoint{
			{Name: "login", Path: "/api/login/", TrailingSlash: slash, Methods: []string{"POST"}},
			{Name: "account", Path: "/api/account/{username}/", TrailingSlash: slash, Methods: []string{"GET"}},
		},
	}
	h := New(p, func(view []profiles.Endpoint) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { endpoint = name(view, r.Method) })
	}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { endpoint = "other" }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, target, nil))
	return endpoint, w.Result()
}

// TestMethods finds the endpoint of a method, and the first of a path for others.
func TestMethods(t *testing.T) {
	p := &profiles.Profile{Endpoints: []profiles.Endpoint{
		{Name: "create", Path: "/users/", Methods: []string{"POST"}, TrailingSlash: profiles.SlashRedirect},
		{Name: "me", Path: "/users/me/", Methods: []string{"GET"}, TrailingSlash: profiles.SlashOptional},
		{Name: "one", Path: "/users/{id}/", Methods: []string{"GET"}, TrailingSlash: profiles.SlashExact},
		{Name: "list", Path: "/users/", Methods: []string{"GET", "PUT"}, TrailingSlash: profiles.SlashRedirect},
	}}
	find := NewFinder(p)
	var served string
	h := ByMethod(p, func(e profiles.Endpoint) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = e.Name })
	}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = "" }))
	for request, want := range map[string]Found{
		"POST /users/": {"create", false}, "GET /users/": {"list", false}, "HEAD /users/": {"list", false}, "put /users/": {"list", false},
		"DELETE /users/": {"create", false}, "OPTIONS /users/": {"create", false}, "GET /users": {"list", true}, "PATCH /users": {"create", true},
		"GET /users/me": {"me", false}, "GET /users/me/": {"me", false}, "GET /users/1/": {"one", false}, "GET /users/1": {}, "GET /users/1.x/": {}, "GET /users//": {},
	} {
		method, target, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, target, nil)
		if got := find(r); got != want {
			t.Errorf("%s: %+v, want %+v", request, got, want)
		}
		served = ""
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); served != want.Endpoint && !want.Redirect || want.Redirect != (w.Code == http.StatusMovedPermanently) {
			t.Errorf("%s is served by %q with %d, want %+v", request, served, w.Code, want)
		}
	}
}

func TestPathsAreComparedAsTheyCome(t *testing.T) {
	for target, want := range map[string]string{
		"/api/login/":          "login",
		"/api/%6cogin/":        "login", // WSGI's PATH_INFO is decoded
		"/api/login/?a=b":      "login",
		"/api/login":           "other",
		"/api/login//":         "other",
		"//api/login/":         "other",
		"/api/./login/":        "other",
		"/api/x/../login/":     "other",
		"/api/LOGIN/":          "other",
		"/api/login/x":         "other",
		"/api/account/a/":      "account",
		"/api/account/a%20b/":  "account",
		"/api/account/a%2Fb/":  "other",
		"/api/account//":       "other",
		"/api/account/a/b/":    "other",
		"/api/account/a":       "other",
		"/api/account/%7Bx%7D": "other",
	} {
		if got, _ := serve(t, profiles.SlashExact, target); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	if got, _ := serve(t, profiles.SlashOptional, "/api/login"); got != "login" {
		t.Errorf("optional slash: %s", got)
	}
}

// TestRedirectStaysHere checks that no path is redirected to another host.
func TestRedirectStaysHere(t *testing.T) {
	for path, want := range map[string]string{
		"//evil.example": "/%2Fevil.example/", "///evil.example": "/%2F/evil.example/", "/\\\\evil.example": "/%5C%5Cevil.example/", "/a//b": "/a//b/",
	} {
		if got := location(&url.URL{Path: path}); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestRedirect(t *testing.T) {
	for target, want := range map[string]string{
		"/api/login":                    "/api/login/",
		"/api/login?next=/a&b=%C3%A9":   "/api/login/?next=/a&b=%C3%A9",
		"/api/account/j%C3%BCrgen":      "/api/account/j%C3%BCrgen/",
		"/api/account/a%20b%3F":         "/api/account/a%20b%3F/",
		"/api/account/a@b+c":            "/api/account/a@b+c/",
		"/api/account/a%ff%c3%a9%c3":    "/api/account/a%25FF%C3%A9%25C3/",
		"/api/account/x?q=%22%3Cscript": "/api/account/x/?q=%22%3Cscript",
	} {
		_, reply := serve(t, profiles.SlashRedirect, target)
		if reply.StatusCode != http.StatusMovedPermanently || reply.Header.Get("Location") != want {
			t.Errorf("%s: %d %q, want %q", target, reply.StatusCode, reply.Header.Get("Location"), want)
		}
		if reply.Header.Get("X-Frame-Options") != "" || reply.Header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: headers %v", target, reply.Header)
		}
	}
	if got, _ := serve(t, profiles.SlashRedirect, "/nowhere"); got != "other" {
		t.Errorf("an unknown path was redirected: %s", got)
	}
}

// TestFinder finds what a router with the same profile does.
func TestFinder(t *testing.T) {
	for _, slash := range []profiles.TrailingSlash{profiles.SlashExact, profiles.SlashRedirect, profiles.SlashOptional} {
		p := &profiles.Profile{TrailingSlash: slash, Endpoints: []profiles.Endpoint{{Name: "login", Path: "/api/login/", TrailingSlash: slash, Methods: []string{"POST"}}, {Name: "account", Path: "/api/account/{username}/", TrailingSlash: slash, Methods: []string{"GET"}}}}
		find := NewFinder(p)
		for target, without := range map[string]string{
			"/api/login/": "", "/api/%6cogin/": "", "/api/login%2F": "", "/api/login": "login", "/api/login?a=%80": "login", "/api/account/x/": "", "/api/account/x": "account", "/api/account/": "", "/api/login//": "", "/other": "", "/": "",
		} {
			r := httptest.NewRequest(http.MethodGet, target, nil)
			endpoint, reply := serve(t, slash, target)
			got, want := find(r), Found{Endpoint: endpoint}
			if endpoint == "other" {
				want.Endpoint = ""
			}
			if reply.StatusCode == http.StatusMovedPermanently {
				want = Found{without, true}
			}
			if got != want {
				t.Errorf("%s %s: %+v, want %+v", slash, target, got, want)
			}
		}
	}
}
