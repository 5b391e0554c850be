package conformance

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance/internal/template"
)

// TestMask hides what an exchange has captured, what looks like a token, and the password.
func TestMask(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	m := newMask(&template.Scope{Captures: map[string]string{"token": "abcd" + hex[:16], "name": "short"}}, []string{"hidden-token"}, "a password")
	for text, want := range map[string]string{
		`{"token": "abcd` + hex[:16] + `"}`: `{"token": "abcd…"}`,
		"hidden-token":                      "hidd…",
		"Token " + hex[:40]:                 "Token 0123…",
		"Token " + hex:                      "Token 0123…",
		strings.ToUpper("x" + hex[4:44]):    "X4567…",
		"a password, twice: a password":     "…, twice: …",
		hex[:39]:                            hex[:39],
		"short":                             "short",
	} {
		if got := m.hide(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	if got := newMask(&template.Scope{}, nil, "").hide("nothing"); got != "nothing" {
		t.Errorf("without a password: %q", got)
	}
}
