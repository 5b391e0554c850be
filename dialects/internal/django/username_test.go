package django

import (
	"testing"

	"github.com/authcompat/authcompat/profiles"
)

// TestValidUsername has the results of the validators in django/contrib/auth/validators.py
// 3.2.
func TestValidUsername(t *testing.T) {
	tests := []struct {
		name           string
		unicode, ascii bool
	}{
		{"john", true, true},
		{"a@b.c+d-e_f", true, true},
		{"@", true, true},
		{"", false, false},
		{"jo hn", false, false},
		{"jo!", false, false},
		{"john\n", false, false},
		{"a\x00", false, false},
		{"j\u00fcrgen", true, false},
		{"\u00b2\u2167\u0663", true, false}, // every kind of number
		{"\u30e6\u30fc\u30b6\u30fc", true, false},
		{"u\u0308", false, false}, // a combining mark
		{"a\u00b7", false, false},
		{"\u203f", false, false},
		{"\U0001f600", false, false},
	}
	for _, tt := range tests {
		if got := ValidUsername(tt.name, profiles.CharactersDjango); got != tt.unicode {
			t.Errorf("%q: %v, want %v", tt.name, got, tt.unicode)
		}
		if got := ValidUsername(tt.name, profiles.CharactersASCII); got != tt.ascii {
			t.Errorf("%q, ASCII: %v, want %v", tt.name, got, tt.ascii)
		}
	}
}
