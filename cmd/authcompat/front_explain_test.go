package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFrontExplain tells what becomes of requests, as docs/front.md has it.
func TestFrontExplain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	put(t, file, `listeners:
  - profile: snippit
    address: 127.0.0.1:18000
    front: {old: "http://127.0.0.1:9000", paths: [{path: /api/public/, token: pass}, {path: /api/, token: needed}, {path: /gone/, token: refuse}]}
`)
	const begin, gets = "profile snippit at 127.0.0.1:18000\n", "  side: old, http://127.0.0.1:9000, which gets\n"
	const forwarded = "    X-Forwarded-For: 192.0.2.1\n    X-Forwarded-Host: api.example\n    X-Forwarded-Proto: http\n"
	for _, test := range []struct{ method, target, want string }{
		{"POST", "/api/auth/login/", "  answered by the endpoint login\n"},
		{"POST", "/api/auth/login", "  answered by a redirect to the path with a slash, which is an endpoint's\n"},
		{"GET", "/api/public/x", "  rule: /api/public/\n  token: pass: the application decides\n" + gets + "    GET /api/public/x HTTP/1.1\n    Host: api.example\n" + forwarded},
		{"GET", "/api//x", "  rule: none can decide, because it has an empty segment: the strictest of all holds\n  token: refuse: whatever it is\n  answered as by the API without an application\n"},
		{"GET", "/api/x%2fy?z", "  rule: none can decide, because it has an escaped /: the strictest of all holds\n  token: refuse: whatever it is\n  answered as by the API without an application\n"},
		{"DELETE", "/other", "  rule: none fits\n  token: pass: the application decides\n" + gets + "    DELETE /other HTTP/1.1\n    Host: api.example\n" + forwarded},
	} {
		got := command(t, "", "front", "explain", test.method, test.target, "--config", file, "--store", database(t))
		if d := cmp.Diff(begin+test.want, got); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.method, test.target, d)
		}
	}
	put(t, file, `listeners:
  - profile: snippit
    address: 127.0.0.1:18000
    front: {old: "http://127.0.0.1:9000", new: "http://127.0.0.1:9001", switch: [login, /api/, other], paths: [{path: /api/public/, token: pass}, {path: /api/, token: needed}]}
`)
	const byState = "by the rule of %s in the store (authcompat cutover status)\n"
	for _, test := range []struct{ target, want string }{
		{"/api/auth/login/", "  side: " + fmt.Sprintf(byState, "login") + "    new: answered by the endpoint login\n    old: http://127.0.0.1:9000, which gets\n    GET /api/auth/login/ HTTP/1.1\n    Host: api.example\n" + forwarded},
		{"/api/auth/login", "  side: " + fmt.Sprintf(byState, "login") + "    new: answered by a redirect to the path with a slash, which is an endpoint's\n    old: http://127.0.0.1:9000, which gets\n    GET /api/auth/login HTTP/1.1\n    Host: api.example\n" + forwarded},
		{"/api/auth/logout/", "  answered by the endpoint logout\n"},
		{"/api/public/x", "  rule: /api/public/\n  token: pass: the application decides\n" + gets + "    GET /api/public/x HTTP/1.1\n    Host: api.example\n" + forwarded},
		{"/api/x", "  rule: /api/\n  token: needed: a bad one is refused, and none too\n  side: " + fmt.Sprintf(byState, "/api/") + "    new: http://127.0.0.1:9001\n    old: http://127.0.0.1:9000\n  which gets\n    GET /api/x HTTP/1.1\n    Host: api.example\n" + forwarded},
		{"//x", "  rule: none can decide, because it has an empty segment: the strictest of all holds\n  token: needed: a bad one is refused, and none too\n  side: " + fmt.Sprintf(byState, "other") + "    new: http://127.0.0.1:9001\n    old: http://127.0.0.1:9000\n  which gets\n    GET //x HTTP/1.1\n    Host: api.example\n" + forwarded},
	} {
		got := command(t, "", "front", "explain", "GET", test.target, "--config", file, "--store", "django+sqlite:none.db")
		if d := cmp.Diff(begin+test.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.target, d)
		}
	}
	const checked = begin + "  all other paths go on to http://127.0.0.1:9000\n  switched between it and this server: login\n  switched between it and http://127.0.0.1:9001: /api/, other\nthe settings are good\n"
	if got := command(t, "", "config", "check", file, "--store", "django+sqlite:none.db"); got != checked {
		t.Errorf("%s", got)
	}
	for _, args := range [][]string{{"GET", "/%zz", "--config", file}, {"GET", "/", "--profile", "snippit"}, {"GET", "/", "--config", file, "--header", "x"}} {
		refused(t, "", append([]string{"front", "explain", "--store", database(t)}, args...)...)
	}
}
