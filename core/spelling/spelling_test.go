package spelling_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/spelling"
)

// TestNormalize checks that whatever stays as it is could not be stored.
func TestNormalize(t *testing.T) {
	for name, want := range map[string]string{"\ufb01n": "fin", "e\u0301": "\u00e9", "": "", strings.Repeat("\ufb01", core.MaxUsername): strings.Repeat("fi", core.MaxUsername)} {
		if got := spelling.Normalize(name); got != want {
			t.Errorf("%.20q: %.20q, want %.20q", name, got, want)
		}
	}
	long := strings.Repeat("\ufdfa", 4*core.MaxUsername+1)
	if spelling.Normalize(long) != long {
		t.Error("a name that can't be stored is normalized")
	}
	for r := range rune(unicode.MaxRune) {
		if n := utf8.RuneCountInString(norm.NFD.String(string(r))); n > 4 {
			t.Errorf("%U is composed of %d", r, n)
		}
	}
}
