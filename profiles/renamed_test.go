package profiles

import "testing"

// TestFormerNames checks that the error for a former key or word gives its current
// name.
func TestFormerNames(t *testing.T) {
	checkProblems(t, restProfile, []problem{
		{"legacy_digests", "ttl: 10h", "ttl: 10h, legacy_digests: knox-4.2", []string{"f.yaml:4:29: tokens.legacy_digests: is called legacy_format now"}},
		{"both keys", "ttl: 10h", "ttl: 10h, legacy_digests: knox-4.2, legacy_format: knox-4.2", []string{"f.yaml:4:29: tokens.legacy_digests: is called legacy_format now"}},
		{"unlike either", "ttl: 10h", "ttl: 10h, legacy: knox-4.2", []string{"f.yaml:4:29: tokens.legacy: unknown key; the keys here are hex, ttl, per_user, realm, match, limit, prefix, legacy_format, sliding"}},
		{"throttling", "tokens:", "throttling: told\ntokens:", []string{"f.yaml:4:13: throttling: told is called revealed now"}},
		{"inactive_login", "endpoints:", "rules: {inactive_login: told}\nendpoints:", []string{"f.yaml:5:25: rules.inactive_login: told is called revealed now"}},
		{"rejected", "endpoints:", "rules: {nul: refused, surrogates: refused, constants: refused}\nendpoints:", []string{
			"f.yaml:5:14: rules.nul: refused is called reject now",
			"f.yaml:5:35: rules.surrogates: refused is called reject now",
			"f.yaml:5:55: rules.constants: refused is called reject now",
		}},
		{"accepted", "endpoints:", "rules: {nul: accepted, surrogates: accepted, constants: accepted}\nendpoints:", []string{
			"f.yaml:5:14: rules.nul: accepted is called accept now",
			"f.yaml:5:36: rules.surrogates: accepted is called accept now",
			"f.yaml:5:57: rules.constants: accepted is called accept now",
		}},
		{"no word of any time", "endpoints:", "rules: {nul: no}\nendpoints:", []string{`f.yaml:5:14: rules.nul: want reject or accept, not "no"`}},
		{"a rule that has kept its words", "endpoints:", "rules: {content_type: accepted}\nendpoints:", []string{`f.yaml:5:23: rules.content_type: want exact or accept, not "accepted"`}},
	})
}
