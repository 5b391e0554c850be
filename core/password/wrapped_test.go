package password

import (
	"errors"
	"strings"
	"testing"
)

// TestWrapped verifies rows made by the recipe's hashers on genuine Django 3.2.
func TestWrapped(t *testing.T) {
	t.Parallel()
	for format, encoded := range map[Format]string{
		WrappedSHA1:         "pbkdf2_wrapped_sha1$100$seasalt$oWSFWEG3/6u8AoylDb3+FjrmtKC4LwMyE8cVraOMcCM=",
		WrappedMD5:          "pbkdf2_wrapped_md5$100$seasalt$QptHHmXCTn7xhALZhz3ipTqJOwS23nKHeol6lcH29k8=",
		WrappedUnsaltedSHA1: "pbkdf2_wrapped_unsalted_sha1$100$seasalt$Hdk8dnAlaoGtPj3uRolgekETANYiNe1JRr5bDFuOo2s=",
		WrappedUnsaltedMD5:  "pbkdf2_wrapped_unsalted_md5$100$seasalt$ixy0lOMFLSf1znZqUQ3lSYt83WGaicpHrEXv7jv3Vk0=",
	} {
		if ok, err := Verify(encoded, "pass wörd"); !ok || err != nil {
			t.Errorf("%s: %t, %v", format, ok, err)
		}
		for _, wrong := range []string{"pass word", "", "seasaltpass wörd", "pass wörd\x00"} {
			if ok, err := Verify(encoded, wrong); ok || err != nil {
				t.Errorf("%s with %q: %t, %v", format, wrong, ok, err)
			}
		}
		cost, err := CostOf(encoded)
		if err != nil || cost.Format() != format || cost.String() != string(format)+" iterations=100" {
			t.Errorf("%s: cost %v, %v", format, cost, err)
		}
		cost.HashDummy("any")
		if r := cost.row(); r == nil || r.cost() != cost || !r.weaker(1) {
			t.Errorf("%s: burns %#v", format, r)
		}
		var malformed *MalformedError
		if _, err := Verify(string(format)+"$many$salt$x", ""); !errors.As(err, &malformed) || malformed.Format != format {
			t.Errorf("%s malformed: %v", format, err)
		}
	}
}

// TestWrappedRow pairs older rows with the result of the recipe's migration on
// genuine Django 3.2, which does not know the password.
func TestWrappedRow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ older, wrapped string }{
		{"sha1$a1b2c$e0980e3c00f304f6c36c2ded0c6ade83c41704e3", "pbkdf2_wrapped_sha1$1000$a1b2c$q/+yf5n/rbnFUn58eaxOHWCOn2+SeZ/LVfWgk/miw6w="},
		{"md5$a1b2c$e9fd6a9deddeb10b3489e789a9179611", "pbkdf2_wrapped_md5$1000$a1b2c$+hd3CbjU9Ut6jjuiDV+oIDPm6A/n8kqCV1yqX0k2gbg="},
		{"sha1$$2f9e53523b62abc141a2b4d6019d23cba835dbd0", "pbkdf2_wrapped_unsalted_sha1$1000$a1b2c$hEEASpqsS3yjZ8f7fdrOCR2NYzw8L/iDgEwRV/5lC8Y="},
		{"3cb4e732631f47e6eb961f34554b7cde", "pbkdf2_wrapped_unsalted_md5$1000$a1b2c$XJs7lTDTj1cfM4yI1GGRzT2ay7nacJF/TaJVJM3MZWM="},
	} {
		// A thief of the older row must not be able to log in with its hash.
		hash := test.older[strings.LastIndex(test.older, "$")+1:]
		for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, hash: false} {
			for _, encoded := range []string{test.older, test.wrapped} {
				if ok, err := Verify(encoded, password); ok != want || err != nil {
					t.Errorf("%s with %q: %t, %v", encoded, password, ok, err)
				}
			}
		}
	}
}

// TestUnknownAlgorithmIsNamed checks that the error names the hasher, but nothing that may be a secret.
func TestUnknownAlgorithmIsNamed(t *testing.T) {
	t.Parallel()
	const unnamed = "password: unknown: hash format not supported"
	for encoded, want := range map[string]string{
		"site_hasher$1$salt$secret":      `password: hash format "site_hasher" not supported`,
		"sha256_custom$salt$secret":      `password: hash format "sha256_custom" not supported`,
		"a$$":                            unnamed,
		"z$$":                            `password: hash format "z" not supported`,
		strings.Repeat("z", 40) + "$1$2": `password: hash format "` + strings.Repeat("z", 40) + `" not supported`,
		strings.Repeat("z", 41) + "$1$2": unnamed,
		"secret$salt":                    unnamed,
		"Secret9$salt$more":              unnamed,
		"$2b$12$secret":                  unnamed,
		"9hasher$salt$more":              unnamed,
		"_hasher$salt$more":              unnamed,
		"site-hasher$salt$more":          unnamed,
		"site_hasher\n$salt$more":        unnamed,
		"hashér$salt$more":               unnamed,
		"e9fd6a9deddeb10b3489e789a9179611$salt$more": unnamed,
		"secret": unnamed,
	} {
		_, err := Verify(encoded, "")
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", encoded, err, want)
		}
		var unsupported *UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Format != Unknown || (unsupported.Algorithm == "") != (want == unnamed) {
			t.Errorf("%q: %#v", encoded, err)
		}
	}
}
