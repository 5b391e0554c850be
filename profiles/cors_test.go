package profiles

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const corsSettings = `cors:
  release: 4.3
  origins: [https://app.example, "http://localhost:3000", "null", "file://"]
  origin_patterns: ['^https://\w+\.app\.example$']
  credentials: true
  methods: [GET, POST]
  headers: [authorization, X-Token]
  expose_headers: [X-Total]
  max_age: 0
  paths: ^/api/
  private_network: true
`

func TestCORS(t *testing.T) {
	p, err := Parse("f.yaml", []byte(restProfile+corsSettings))
	if err != nil {
		t.Fatal(err)
	}
	want := &CORS{
		Origins: []string{"https://app.example", "http://localhost:3000", "null", "file://"}, OriginPatterns: []string{`^https://\w+\.app\.example$`},
		Credentials: true, Methods: []string{"GET", "POST"}, Headers: []string{"authorization", "X-Token"}, ExposeHeaders: []string{"X-Total"},
		Paths: "^/api/", PrivateNetwork: true, Release: CORS43,
	}
	if d := cmp.Diff(want, p.CORS); d != "" {
		t.Error(d)
	}
	checkRoundTrip(t, p)
	if p, err = Parse("f.yaml", []byte(plainProfile+"cors: {origins: all}\n")); err != nil {
		t.Fatal(err)
	}
	want = &CORS{
		AllOrigins: true, Methods: []string{"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"}, MaxAge: 86400, Paths: "^.*$", Release: CORS24,
		Headers: []string{"accept", "accept-encoding", "authorization", "content-type", "dnt", "origin", "user-agent", "x-csrftoken", "x-requested-with"},
	}
	if d := cmp.Diff(want, p.CORS); d != "" {
		t.Error(d)
	}
	checkRoundTrip(t, p)
}

func TestCORSProblems(t *testing.T) {
	add := func(name, cors string, want ...string) problem {
		return problem{name, "endpoints:", "cors: " + cors + "\nendpoints:", want}
	}
	checkProblems(t, restProfile, []problem{
		add("no map", "all", `f.yaml:5:7: cors: want a map, not "all"`),
		add("one origin", "{origins: https://a.example}", `f.yaml:5:17: cors.origins: want a list, not "https://a.example"`),
		add("all in a list", "{origins: [all]}", "f.yaml:5:18: cors.origins[0]: stands in a list: origins: all is without one"),
		add("no scheme", "{origins: [a.example]}", `f.yaml:5:18: cors.origins[0]: want an origin such as https://app.example or http://localhost:3000, or null, not "a.example"`),
		add("slash", "{origins: ['https://a.example/']}", "f.yaml:5:18: cors.origins[0]: an origin ends with its host or its port: it has no path, not even a slash"),
		add("brackets", "{origins: ['https://[a]']}", "f.yaml:5:18: cors.origins[0]: has brackets around what is no IPv6 address"),
		add("patterns", `{origin_patterns: ['^(?!a)b', 5], paths: '(a'}`,
			"f.yaml:5:26: cors.origin_patterns[0]: looks ahead or behind ((?=, (?!, (?<=, (?<!), which Go's regexp can't do",
			"f.yaml:5:37: cors.origin_patterns[1]: want a text (write it in quotes), not the number 5",
			"f.yaml:5:48: cors.paths: is no pattern that Go's regexp can match: missing closing )"),
		add("methods", "{methods: [GET POST], headers: authorization}",
			"f.yaml:5:18: cors.methods[0]: want one word of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token), not \"GET POST\"",
			`f.yaml:5:38: cors.headers: want a list, not "authorization"`),
		add("max_age", "{max_age: -1}", "f.yaml:5:17: cors.max_age: want a whole number from 0 to 2147483647, not the number -1"),
		add("release", "{release: 3.14}", "f.yaml:5:17: cors.release: want 2.4, 4.0 or 4.3, not the number 3.14"),
		add("private network", "{private_network: true}", "f.yaml:5:25: cors.private_network: is of release 4.0 and later ones"),
		add("key", "{origin: all}", "f.yaml:5:8: cors.origin: unknown key; did you mean origins?"),
		add("headers", "{}\nheaders: {access-control-allow-origin: '*'}", "f.yaml:6:11: headers.access-control-allow-origin: is written by cors, which stands here too"),
	})
}

// TestOverriddenHeaders refuses headers that would be written over, or be there twice.
func TestOverriddenHeaders(t *testing.T) {
	checkProblems(t, restProfile, []problem{{"REST", "endpoints:", "headers: {Allow: GET, vary: Cookie, Location: /, Retry-After: '5'}\nendpoints:", []string{
		"f.yaml:5:11: headers.Allow: the server writes this header itself",
		"f.yaml:5:23: headers.vary: the views write this header themselves, over this one",
		"f.yaml:5:37: headers.Location: the server writes this header itself",
		"f.yaml:5:50: headers.Retry-After: the server writes this header itself",
	}}})
	checkProblems(t, formProfile, []problem{{"forms", "endpoints:", "headers: {Vary: Cookie}\nendpoints:", []string{
		"f.yaml:6:11: headers.Vary: the views write this header themselves, over this one",
	}}})
	checkProblems(t, plainProfile, []problem{{"plain", "endpoints:", "preflight_headers: {Allow: POST}\nendpoints:", []string{
		"f.yaml:5:21: preflight_headers.Allow: the server writes this header itself",
	}}})
	if _, err := Parse("f.yaml", []byte(plainProfile+"headers: {Vary: Origin, Access-Control-Allow-Origin: '*'}\n")); err != nil {
		t.Errorf("plain views write no Vary: %v", err)
	}
}

// TestOpenToAllSites finds the profiles whose users any site can act for.
func TestOpenToAllSites(t *testing.T) {
	const all, basic = "cors: {origins: all, credentials: true}\n", "authentication: [token, basic]\n"
	for settings, want := range map[string]bool{
		all + basic: true, all: false, basic: false,
		basic + "cors: {origins: all}\n":                                        false,
		basic + "cors: {origins: ['https://app.example'], credentials: true}\n": false,
	} {
		p, err := Parse("f.yaml", []byte(restProfile+settings))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.OpenToAllSites(); got != want {
			t.Errorf("%q: %t", settings, got)
		}
	}
}
