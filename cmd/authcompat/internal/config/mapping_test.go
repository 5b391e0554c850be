package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/authcompat/authcompat/store/django/tables"
)

func TestMapping(t *testing.T) {
	t.Parallel()
	const all = `
user_table: people
token_table: [a, b]
id: 7
username: name
email: &mail mail
password: *mail
active: on
created:
attributes: {city: town}
username_case: lower
defaults: {public_id: $uuid, team_id: 7}
`
	for text, want := range map[string]tables.Mapping{
		"":                         {},
		"# nothing\n":              {},
		"token_table: none\n":      {TokenTables: tables.Names{"none"}},
		"attributes: {}\n":         {Attributes: map[string]string{}},
		"username_case: keep\n":    {UsernameCase: "keep"},
		"defaults:\nattributes:\n": {},
		all: {
			UserTable: "people", TokenTables: tables.Names{"a", "b"}, ID: "7", Username: "name", Email: "mail", Password: "mail", Active: "on",
			Attributes: map[string]string{"city": "town"}, UsernameCase: "lower", Defaults: map[string]string{"public_id": "$uuid", "team_id": "7"},
		},
	} {
		got, err := parseMapping("m.yaml", []byte(text))
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(tables.Mapping{})); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestMappingProblems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"bogus: x\nuser_tabel: y\nid: [a]\n": "m.yaml:1:1: bogus: unknown key; the keys here are user_table, token_table, id, username, email, password, active, created, attributes, username_case, defaults\n" +
			"m.yaml:2:1: user_tabel: unknown key; did you mean user_table?\nm.yaml:3:5: id: want a text",
		"username_case: upper\n":             `m.yaml:1:16: username_case: "upper" is neither keep nor lower`,
		"attributes: x\ndefaults: {a: []}\n": "m.yaml:1:13: attributes: want a map of attributes with their columns\nm.yaml:2:15: defaults.a: want a text",
		"id: a\nid: b\n":                     "m.yaml:2:1: id: is there twice, first on line 1",
		"id: a\n---\nid: b\n":                "m.yaml:2:1: a second document begins here",
		"root:x:0:0:root\ndaemon:x:1:1\n":    "m.yaml:1:1: want a map",
	} {
		_, err := parseMapping("m.yaml", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	// What stands in a file of another kind is not shown.
	for _, text := range []string{"S3cret\x00", "S3cret: [", "\xffS3cret", "- S3cret", "S3cret"} {
		if _, err := parseMapping("m.yaml", []byte(text)); err == nil || strings.Contains(strings.TrimPrefix(err.Error(), "m.yaml:1:1: S3cret: unknown key"), "S3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzMapping reads mappings.
func FuzzMapping(f *testing.F) {
	f.Add([]byte("user_table: a\nusername: email\nattributes: {x: y}\n"))
	f.Add([]byte("a: b"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = parseMapping("m.yaml", text) })
}
