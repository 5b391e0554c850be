package profiles_test

import (
	"errors"
	"strings"
	"testing"
	"time"

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

// TestTokenSettings reads knox's settings of tokens.
func TestTokenSettings(t *testing.T) {
	const many = "hex: 64, ttl: 10h, per_user: many"
	for _, test := range []struct {
		tokens  string
		want    profiles.Tokens // the keys in question
		problem string
	}{
		{"{" + many + ", sliding: true}", profiles.Tokens{Sliding: true, Interval: time.Minute}, ""},
		{"{" + many + ", sliding: false}", profiles.Tokens{}, ""},
		{"{" + many + ", sliding: {}}", profiles.Tokens{Sliding: true, Interval: time.Minute}, ""},
		{"{" + many + ", sliding: {interval: 0s}}", profiles.Tokens{Sliding: true}, ""},
		{"{" + many + ", sliding: {interval: 2h, max: 12h}}", profiles.Tokens{Sliding: true, Interval: 2 * time.Hour, Max: 12 * time.Hour}, ""},
		{"{" + many + ", limit: 10, prefix: kx_}", profiles.Tokens{Limit: 10, Prefix: "kx_"}, ""},
		{"{" + many + ", sliding: {max: 9h}}", profiles.Tokens{}, "f.yaml:4:60: tokens.sliding.max: is shorter than ttl"},
		{"{" + many + ", sliding: {interval: 10h}}", profiles.Tokens{}, "f.yaml:4:54: tokens.sliding: a token's end is never moved: ttl has to be longer than interval"},
		{"{" + many + ", sliding: {interval: never}}", profiles.Tokens{}, "f.yaml:4:65: tokens.sliding.interval: a token's end is never moved: leave sliding out"},
		{"{" + many + ", sliding: often}", profiles.Tokens{}, `f.yaml:4:54: tokens.sliding: want true or false, not "often"`},
		{"{hex: 64, ttl: never, per_user: many, sliding: {}}", profiles.Tokens{}, "f.yaml:4:56: tokens.sliding: tokens that never expire have no end to move: ttl is never"},
		{"{hex: 40, ttl: 10h, per_user: one, sliding: {max: 20h}}", profiles.Tokens{}, "f.yaml:4:59: tokens.sliding.max: counts from the login, and the one token of a user is shown at many: per_user is one"},
		{"{hex: 64, ttl: never, per_user: many, limit: 3}", profiles.Tokens{}, "f.yaml:4:54: tokens.limit: tokens that never expire are not counted: ttl is never"},
		{"{hex: 64, ttl: 10h, per_user: one, limit: 3}", profiles.Tokens{}, "f.yaml:4:51: tokens.limit: each user has one token: per_user is one"},
		{"{" + many + ", limit: 0}", profiles.Tokens{}, "f.yaml:4:52: tokens.limit: want a whole number from 1 to 1000000, not the number 0"},
		{"{" + many + ", prefix: 'a b'}", profiles.Tokens{}, `f.yaml:4:53: tokens.prefix: want 1 to 10 letters, digits, hyphens, full stops, _ and ~, not "a b"`},
		{"{" + many + ", prefix: abcdefghijk}", profiles.Tokens{}, `f.yaml:4:53: tokens.prefix: want 1 to 10 letters, digits, hyphens, full stops, _ and ~, not "abcdefghijk"`},
		{"{" + many + ", prefix: kx_, legacy_format: knox-4.2}", profiles.Tokens{}, "f.yaml:4:73: tokens.legacy_format: knox up to 4.2 reads tokens as digits alone: there is no prefix"},
		{"{" + many + ", prefix: kx_, match: knox-4.2}", profiles.Tokens{}, "f.yaml:4:53: tokens.prefix: knox up to 4.2, whose tokens match wants, has none"},
		{"{hex: 38, ttl: 10h, per_user: many, prefix: kx_, legacy_format: authtoken}", profiles.Tokens{}, "f.yaml:4:73: tokens.legacy_format: a token of 41 digits does not fit authtoken's column: hex has to be at most 40"},
	} {
		p, err := profiles.Parse("f.yaml", []byte(strings.Replace(keeping, "TOKENS", test.tokens, 1)))
		if test.problem != "" {
			if err == nil || err.Error() != test.problem {
				t.Errorf("%s: %v, want %s", test.tokens, err, test.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.tokens, err)
			continue
		}
		got := profiles.Tokens{Sliding: p.Tokens.Sliding, Interval: p.Tokens.Interval, Max: p.Tokens.Max, Limit: p.Tokens.Limit, Prefix: p.Tokens.Prefix}
		text, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := profiles.Parse("shown.yaml", text)
		if err != nil || got != test.want || again.Tokens != p.Tokens {
			t.Errorf("%s: %+v; shown and read again %+v, %v", test.tokens, got, again, err)
		}
	}
}
