package profiles_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/profiles"
)

const keeping = `name: keeping
family: drf
stack: drf-3.14
tokens: TOKENS
endpoints:
  login:
    path: /login/
    fields: {username: {}, password: {}}
    reply: {status: 200, body: {token: $token.key}}
`

func TestLegacyFormat(t *testing.T) {
	tests := []struct {
		tokens  string
		want    profiles.LegacyFormat
		problem string
	}{
		{"{hex: 64, ttl: 10h, per_user: many}", "", ""},
		{"{hex: 64, ttl: 10h, per_user: many, legacy_format: knox-4.1}", profiles.LegacyKnox41, ""},
		{"{hex: 64, ttl: 10h, per_user: many, legacy_format: knox-4.2}", profiles.LegacyKnox42, ""},
		{"{hex: 65, ttl: 10h, per_user: many, legacy_format: knox-5.x}", profiles.LegacyKnox5, ""},
		{"{hex: 40, ttl: 10h, per_user: many, legacy_format: authtoken}", profiles.LegacyAuthtoken, ""},
		{
			"{hex: 64, ttl: 10h, per_user: many, legacy_format: knox}", "",
			`f.yaml:4:60: tokens.legacy_format: want authtoken, knox-4.1, knox-4.2 or knox-5.x, not "knox"`,
		},
		{
			"{hex: 65, ttl: 10h, per_user: many, legacy_format: knox-4.2}", "",
			"f.yaml:4:60: tokens.legacy_format: knox up to 4.2 reads tokens as whole bytes: hex has to be even",
		},
		{
			"{hex: 64, ttl: 10h, per_user: many, legacy_format: authtoken}", "",
			"f.yaml:4:60: tokens.legacy_format: a token of 64 digits does not fit authtoken's column: hex has to be at most 40",
		},
	}
	for _, test := range tests {
		p, err := profiles.Parse("f.yaml", []byte(strings.Replace(keeping, "TOKENS", test.tokens, 1)))
		if test.problem != "" {
			var problems *profiles.Problems
			if !errors.As(err, &problems) || err.Error() != test.problem {
				t.Errorf("%s: %v, want %s", test.tokens, err, test.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.tokens, err)
			continue
		}
		text, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := profiles.Parse("shown.yaml", text)
		if err != nil || p.Tokens.LegacyFormat != test.want || again.Tokens != p.Tokens {
			t.Errorf("%s: %+v; shown and read again %+v, %v", test.tokens, p.Tokens, again, err)
		}
	}
}
