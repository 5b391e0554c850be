package core

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// TestNormalizeUsername checks that whatever stays as it is could not be stored.
func TestNormalizeUsername(t *testing.T) {
	for name, want := range map[string]string{"\ufb01n": "fin", "e\u0301": "\u00e9", "": "", strings.Repeat("\ufb01", MaxUsername): strings.Repeat("fi", MaxUsername)} {
		if got := NormalizeUsername(name); got != want {
			t.Errorf("%.20q: %.20q, want %.20q", name, got, want)
		}
	}
	long := strings.Repeat("\ufdfa", 4*MaxUsername+1)
	if NormalizeUsername(long) != long {
		t.Error("a name that can't be stored is normalized")
	}
	for r := range rune(unicode.MaxRune) {
		if n := utf8.RuneCountInString(norm.NFD.String(string(r))); n > 4 {
			t.Errorf("%U is composed of %d", r, n)
		}
	}
}
