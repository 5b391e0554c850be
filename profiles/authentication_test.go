package profiles

import (
	"slices"
	"strings"
	"testing"
)

// knoxProfile logs in by HTTP Basic, as knox's own views do.
const knoxProfile = `name: stock-knox
family: drf
stack: drf-3.14
authentication: [session, basic]
tokens: {hex: 64, ttl: 10h, per_user: many}
endpoints:
  login:
    path: /login/
    access: token
    reply: {status: 200, body: {token: $token.key}}
  logout:
    path: /logout/
    authentication: [{token: Bearer}, token]
    reply: {status: 204}
`

func TestAuthentication(t *testing.T) {
	p, err := Parse("f.yaml", []byte(knoxProfile))
	if err != nil {
		t.Fatal(err)
	}
	checkRoundTrip(t, p)
	login, _ := p.Endpoint(Login)
	logout, _ := p.Endpoint(Logout)
	stock := []Authentication{{Kind: AuthenticateSession}, {AuthenticateBasic, "api"}}
	if p.Scheme != "Token" || !slices.Equal(p.Authentication, stock) || !slices.Equal(login.Authentication, stock) ||
		!slices.Equal(logout.Authentication, []Authentication{{AuthenticateToken, "Bearer"}, {AuthenticateToken, "Token"}}) {
		t.Errorf("%q, %v; login %v, logout %v", p.Scheme, p.Authentication, login.Authentication, logout.Authentication)
	}
	for text, want := range map[string]struct {
		scheme string
		list   []Authentication
	}{
		"":                                  {"Token", []Authentication{{AuthenticateToken, "Token"}}},
		"scheme: Key":                       {"Key", []Authentication{{AuthenticateToken, "Key"}}},
		"authentication: [{token: Bearer}]": {"Bearer", []Authentication{{AuthenticateToken, "Bearer"}}},
		"authentication: [basic, {token: Bearer}, token]":        {"Bearer", []Authentication{{AuthenticateBasic, "api"}, {AuthenticateToken, "Bearer"}, {AuthenticateToken, "Token"}}},
		"scheme: Key\nauthentication: [{basic: My site}, token]": {"Key", []Authentication{{AuthenticateBasic, "My site"}, {AuthenticateToken, "Key"}}},
	} {
		p, err := Parse("f.yaml", []byte(strings.Replace(restProfile, "endpoints:", text+"\nendpoints:", 1)))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		checkRoundTrip(t, p)
		if p.Scheme != want.scheme || !slices.Equal(p.Authentication, want.list) {
			t.Errorf("%q: %q, %v", text, p.Scheme, p.Authentication)
		}
	}
}

func TestAuthenticationProblems(t *testing.T) {
	const words = "session, basic, token, {basic: REALM} or {token: KEYWORD}"
	checkProblems(t, knoxProfile, []problem{
		{"no list", "[session, basic]", "basic", []string{`f.yaml:4:17: authentication: want a list of ` + words + `, or [] for nothing, not "basic"`}},
		{"odd words", "[session, basic]", "[jwt, {digest: x}, 5, {basic: a, token: b}]", []string{
			`f.yaml:4:18: authentication[0]: want ` + words + `, not "jwt"`,
			"f.yaml:4:24: authentication[1].digest: unknown key; the keys here are basic, token",
			"f.yaml:4:36: authentication[2]: want " + words + ", not the number 5",
			"f.yaml:4:39: authentication[3]: want " + words + ", not a map",
		}},
		{"twice", "[session, basic]", "[basic, {basic: api}]", []string{"f.yaml:4:25: authentication[1]: stands here twice"}},
		{"keyword", "{token: Bearer}", "{token: a b}", []string{"f.yaml:13:30: endpoints.logout.authentication[0].token: want one word of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, token), not \"a b\""}},
		{"keyword of another", "{token: Bearer}", "{token: basic}", []string{"f.yaml:13:22: endpoints.logout.authentication[0]: basic is the scheme of HTTP Basic: want {basic: REALM}"}},
		{"realm", "[session, basic]", `[{basic: 'a"b'}]`, []string{"f.yaml:4:26: authentication[0].basic: a realm has no quotes and no backslashes"}},
		{"nobody gets in", "[{token: Bearer}, token]", "[]", []string{"f.yaml:13:21: endpoints.logout.authentication: is empty, and the endpoint's access is token"}},
		{"session alone", "    access: token", "    access: token\n    authentication: [session]", []string{"f.yaml:8:5: endpoints.login.fields: is missing, and nobody is recognised without: the endpoint's authentication has no basic"}},
		{"open without fields", "    access: token\n", "", []string{"f.yaml:8:5: endpoints.login.fields: is missing"}},
		{"both keys", "[{token: Bearer}, token]", "[token]\n    authenticate: true", []string{"f.yaml:14:19: endpoints.logout.authenticate: stands beside authentication, which says more"}},
		{"token alone", "    access: token", "    access: token\n    authentication: [token]", nil},
	})
	checkProblems(t, plainProfile, []problem{
		{"plain", "endpoints:", "authentication: [basic]\nendpoints:", []string{"f.yaml:5:1: authentication: is of families drf and formjson: plain views know tokens alone"}},
		{"plain login", "    path: /login", "    path: /login\n    authentication: []", []string{"f.yaml:8:5: endpoints.login.authentication: login is no REST framework view in family plainjson"}},
	})
}
