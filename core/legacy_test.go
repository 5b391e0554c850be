package core_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core"
)

// The digests in these tests were made by django-rest-knox itself, in the named
// versions.
const knoxToken = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestLegacyPresents(t *testing.T) {
	tests := []struct {
		version             string
		generation          core.LegacyFormat
		text, prefix, salt  string
		digest              string
		upper, shoutedInAll bool
	}{
		{"4.1.0", core.Knox41, knoxToken, "01234567", "0011223344556677", "65b6b43151243666a838a5e3687030076c98599a3a7aea9e1533564e637265cbc4fcb450ca0177812d39749e9ed59c153c6230d65e1e053eae95b4b804d841de", true, true},
		{"4.2.0", core.Knox42, knoxToken, "01234567", "", "b5829ce3ccf1d8edd5da1132d46271b0169f58b6414fd263d3c98da627170f5e13cb194ef464e3d3968547e043f8caf19e78db5b6693ba867b1a613b9c337cf0", true, true},
		{"5.0.2", core.Knox5, knoxToken, "0123456789abcde", "", "ad2981aa58beca63a49b8831274b89d81766a23d7932474f03e55cf00cbe27004e66fd0912aed0b3cb1afee2aa904115c89db49d6c9bad785523023a9c309561", false, false},
		{"5.0.2 with a prefix", core.Knox5, "pre_" + knoxToken, "pre_0123456789a", "", "765b0782b761a8a71520457cd2a93a8b8ea48dd7353d0658648fd7f71dfa9083fe0c447a9e74aa0d89b88a579717030ec2ae2995bcfa777159c1f56cb658ed8d", false, false},
	}
	for _, test := range tests {
		t.Run(test.version, func(t *testing.T) {
			salt, digest := unhex(t, test.salt), core.Digest(unhex(t, test.digest))
			form := core.Legacy{Format: test.generation, Prefix: test.prefix, Salt: salt}
			for text, want := range map[string]bool{
				test.text: true,
				test.text[:20] + strings.ToUpper(test.text[20:]): test.upper,
				// The first eight characters of this token are digits, which have no upper case.
				strings.ToUpper(test.text): test.shoutedInAll,
				test.text + "00":           false,
				test.text + "\x00":         false,
				test.text[:8]:              false,
				"":                         false,
				"\xff\xfe":                 false,
			} {
				if got := form.Matches(core.Presented(text), digest); got != want {
					t.Errorf("%q: %t, want %t", text, got, want)
				}
			}
			for i := range digest {
				digest[i] ^= 1
				if form.Matches(core.Presented(test.text), digest) {
					t.Errorf("a digest with another byte %d was taken", i)
				}
				digest[i] ^= 1
			}
			if form.Matches(core.Presented(test.text), digest[:1]) {
				t.Error("a part of the digest was taken")
			}
		})
	}
}

func TestLegacyOf(t *testing.T) {
	for _, g := range []core.LegacyFormat{core.Knox41, core.Knox42, core.Knox5} {
		form, err := core.NewLegacy(g, strings.NewReader("saltsalt"), knoxToken)
		if err != nil {
			t.Fatal(err)
		}
		if !form.Matches(knoxToken, form.Digest) {
			t.Errorf("%s: the form of a token is not its own: %+v", g, form)
		}
	}
	for g, text := range map[core.LegacyFormat]string{
		core.Authtoken: knoxToken, "": knoxToken, core.Knox42: "abc", core.Knox41: "no hex", core.Knox5: "",
	} {
		if form, err := core.NewLegacy(g, strings.NewReader("saltsalt"), text); err == nil {
			t.Errorf("%q of %q: %+v", g, text, form)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
