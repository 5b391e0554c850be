package password

import (
	"errors"
	"strings"
	"testing"
)

// TestWrapped verifies rows that the recipe's hashers made on genuine Django 3.2.
func TestWrapped(t *testing.T) {
	for format, encoded := range map[Format]string{
		WrappedSHA1:         "pbkdf2_wrapped_sha1$100$seasalt$oWSFWEG3/6u8AoylDb3+FjrmtKC4LwMyE8cVraOMcCM=",
		WrappedMD5:          "pbkdf2_wrapped_md5$100$seasalt$QptHHmXCTn7xhALZhz3ipTqJOwS23nKHeol6lcH29k8=",
		WrappedUnsaltedSHA1: "pbkdf2_wrapped_unsalted_sha1$100$seasalt$Hdk8dnAlaoGtPj3uRolgekETANYiNe1JRr5bDFuOo2s=",
		WrappedUnsaltedMD5:  "pbkdf2_wrapped_unsalted_md5$100$seasalt$ixy0lOMFLSf1znZqUQ3lSYt83WGaicpHrEXv7jv3Vk0=",
	} {
		if ok, err := Verify(encoded, "pass wörd"); !ok || err != nil {
			t.Errorf("%s: %t, %v", format, ok, err)
		}
		for _, wrong := range []string{"pass word", "", "seasaltpass wörd"} {
			if ok, err := Verify(encoded, wrong); ok || err != nil {
				t.Errorf("%s with %q: %t, %v", format, wrong, ok, err)
			}
		}
		cost, err := CostOf(encoded)
		if err != nil || cost.Format() != format || cost.String() != string(format)+" iterations=100" {
			t.Errorf("%s: cost %v, %v", format, cost, err)
		}
		cost.Burn("any")
		h, err := NewHasher(1, strings.NewReader(""))
		if err != nil || !h.NeedsRehash(encoded) {
			t.Errorf("%s: is not made anew, %v", format, err)
		}
		var malformed *MalformedError
		if _, err := Verify(string(format)+"$many$salt$x", ""); !errors.As(err, &malformed) {
			t.Errorf("%s malformed: %v", format, err)
		}
	}
}

// TestUnknownAlgorithmIsNamed names a hasher, and never what may be a secret.
func TestUnknownAlgorithmIsNamed(t *testing.T) {
	for encoded, want := range map[string]string{
		"site_hasher$1$salt$secret":      `password: hash format "site_hasher" not supported`,
		"secret$salt":                    "password: unknown: hash format not supported",
		"Secret9$salt$more":              "password: unknown: hash format not supported",
		"$2b$12$secret":                  "password: unknown: hash format not supported",
		strings.Repeat("a", 41) + "$1$2": "password: unknown: hash format not supported",
		"secret":                         "password: unknown: hash format not supported",
	} {
		if _, err := Verify(encoded, ""); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", encoded, err, want)
		}
	}
}
