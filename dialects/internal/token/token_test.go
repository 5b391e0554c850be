package token

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/profiles"
)

type parseTest struct {
	header string
	want   ParseResult
	key    string
}

func parseTests() []parseTest {
	return []parseTest{
		{"", Absent, ""},
		{"   ", Absent, ""},
		{"Bearer abc", Absent, ""},
		{"Token:", Absent, ""},
		{"Tokens abc", Absent, ""},
		{"Toke abc", Absent, ""},
		{"T abc", Absent, ""},
		{"To\u212aen abc", Absent, ""}, // the Kelvin sign is not a k
		{"Token", Empty, ""},
		{"Token ", Empty, ""},
		{"token abc", Found, "abc"},
		{"TOKEN\tabc", Found, "abc"},
		{"  Token \x0b\x0c abc  ", Found, "abc"},
		{"Token abc def", HasSpaces, ""},
		{"Token abc,Token def", HasSpaces, ""},
		{"Token a\u00a0b", Found, "a\u00a0b"}, // bytes.split does not split at a no-break space
		{"Token \xff", NotUTF8, ""},
	}
}

func TestParse(t *testing.T) {
	for _, tt := range parseTests() {
		if got, key := Parse(tt.header, "Token"); got != tt.want || key != tt.key {
			t.Errorf("Parse(%q) = %v, %q, want %v, %q", tt.header, got, key, tt.want, tt.key)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range parseTests() {
		f.Add(tt.header)
	}
	f.Add("\tToken\nx")
	f.Fuzz(func(t *testing.T, header string) {
		result, key := Parse(header, "Token")
		if (result == Found) != (key != "") {
			t.Errorf("result %v with key %q", result, key)
		}
		if strings.ContainsAny(key, " \t\r\n\v\f") {
			t.Errorf("key %q has white space", key)
		}
	})
}

func TestPresented(t *testing.T) {
	tests := []struct {
		text  string
		match profiles.Match
		want  core.Presented
	}{
		{"abcdef01ABCDEF", profiles.MatchExact, "abcdef01ABCDEF"},
		{"abcdef01ABCDEF", profiles.MatchKnox42, "abcdef01abcdef"},
		{"ABCDEF01ABCDEF", profiles.MatchKnox42, "ABCDEF01abcdef"},
		{"abcdef0100A0", profiles.MatchKnox42, "abcdef0100a0"},
		{"abcdef0100F0", profiles.MatchKnox42, "abcdef0100f0"},
		{"abcdef01A", profiles.MatchKnox42, "abcdef01a"},
		{"ABCDEF01", profiles.MatchKnox42, "ABCDEF01"},
		{"abc", profiles.MatchKnox42, "abc"},
	}
	for _, tt := range tests {
		if got := Presented(tt.text, tt.match); got != tt.want {
			t.Errorf("Presented(%q, %s) = %q, want %q", tt.text, tt.match, got, tt.want)
		}
	}
}

// TestPolicy takes from a profile what its users log in by, and how names are compared.
func TestPolicy(t *testing.T) {
	for fields, want := range map[string]core.Identifier{
		"username: {}":                     core.ByUsername,
		"email: {}":                        core.ByEmail,
		"login: {role: username_or_email}": core.ByUsernameOrEmail,
		"username: {}, email: {}":          core.ByUsernameOrEmail,
	} {
		p, err := profiles.Parse("p.yaml", []byte(`name: p
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
usernames: {case: insensitive}
emails: {case: insensitive, unique: true}
endpoints: {login: {path: /login/, update_last_login: true, fields: {`+fields+`, password: {}}, reply: {status: 200}}}
`))
		if err != nil {
			t.Fatal(err)
		}
		got := Policy(p)
		if got.LoginBy != want || !got.UsernameCaseBlind || !got.EmailCaseBlind || !got.UniqueEmail || !got.UpdateLastLogin {
			t.Errorf("%s: %+v", fields, got)
		}
	}
}
