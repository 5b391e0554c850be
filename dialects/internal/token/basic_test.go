package token

import (
	"encoding/base64"
	"testing"

	"github.com/authcompat/authcompat/profiles"
)

func TestParseBasic(t *testing.T) {
	modern := profiles.Rules{BasicCharset: profiles.BasicUTF8, BasicColon: profiles.BasicColonOptional}
	old := profiles.Rules{BasicCharset: profiles.BasicLatin1, BasicColon: profiles.BasicColonOptional}
	strict := profiles.Rules{BasicCharset: profiles.BasicUTF8, BasicColon: profiles.BasicColonRequired}
	of := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, test := range []struct {
		header         string
		rules          profiles.Rules
		want           ParseResult
		name, password string
	}{
		{"", modern, Absent, "", ""},
		{"Basics YTpi", modern, Absent, "", ""},
		{"Basic", modern, Empty, "", ""},
		{"basic  ", modern, Empty, "", ""},
		{"Basic YTpi YTpi", modern, HasSpaces, "", ""},
		{"\tBASIC \x0bYTpi ", modern, Found, "a", "b"},
		{"Basic =a=", modern, NotBase64, "", ""},
		{"Basic YTp", modern, NotBase64, "", ""},
		{"Basic Y!T-p\xffi", modern, Found, "a", "b"},
		{"Basic YTo=ignored", modern, Found, "a", ""},
		{of("a:b:c"), modern, Found, "a", "b:c"},
		{of("ann"), modern, Found, "ann", ""},
		{of("ann"), strict, NotBase64, "", ""},
		{of(":"), strict, Found, "", ""},
		{of("é:ß"), modern, Found, "é", "ß"},
		{of("é:ß"), old, Found, "Ã©", "Ã\u009f"},
		{of("\xe9:\xdf"), modern, Found, "é", "ß"},
		{of("\xe9:\xdf"), old, Found, "é", "ß"},
	} {
		got, name, password := ParseBasic(test.header, test.rules)
		if got != test.want || name != test.name || password != test.password {
			t.Errorf("%q: %d, %q, %q", test.header, got, name, password)
		}
	}
}

// TestCredentials finds what any endpoint of a profile asks for.
func TestCredentials(t *testing.T) {
	p := &profiles.Profile{
		Authentication: []profiles.Authentication{{Kind: profiles.AuthenticateSession}, {Kind: profiles.AuthenticateBasic, Word: "api"}},
		Endpoints:      []profiles.Endpoint{{Authentication: []profiles.Authentication{{Kind: profiles.AuthenticateToken, Word: "Bearer"}}}},
	}
	for header, want := range map[string][2]string{
		"": {}, "Bearer abc": {"abc", ""}, "Basic YW5uOng=": {"", "ann"}, "Token abc": {}, "Bearer a b": {}, "Basic =a=": {}, "Basic": {},
	} {
		if text, name := Credentials(p, header); text != want[0] || name != want[1] {
			t.Errorf("%q: %q, %q", header, text, name)
		}
	}
}
