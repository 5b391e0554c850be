package drf

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/profiles"
)

// TestChoose has the results of DefaultContentNegotiation of Django REST framework 3.14
// for a view with its default renderers.
func TestChoose(t *testing.T) {
	renderers := []profiles.Renderer{profiles.RenderJSON, profiles.RenderHTML}
	tests := []struct{ accept, want string }{
		{"*/*", "application/json"},
		{"*/*; indent=4", "application/json;indent=4"},
		{"application/*;q=0.5", "application/json;q=0.5"},
		{"application/json", "application/json"},
		{"application/json;q=0", "application/json;q=0"},
		{"APPLICATION/JSON; indent=2", "APPLICATION/JSON; indent=2"},
		{"text/html", "text/html"},
		{"text/*", "text/html"},
		{"*/*, text/html", "text/html"},
		{"text/html, application/json", "application/json"},
		{"text/html;level=1, application/json", "text/html;level=1"},
		{"application/xml, */json", "application/json"},
		{" application/json\x1f", "application/json"},
		{"application/xml", ""},
		{"application/json/x", ""},
		{"application /json", ""},
		{"json", ""},
		{"", ""},
		{"\u00e9", ""},
		{"\u00e9, */*", ""}, // the original fails
	}
	for _, tt := range tests {
		got, ok := choose(renderers, tt.accept)
		if got.mediaType != tt.want || ok != (tt.want != "") {
			t.Errorf("%q: %q, %v, want %q", tt.accept, got.mediaType, ok, tt.want)
		}
	}
}

// TestParseIndent has the results of int() of CPython 3.11, limited to 0 to 8.
func TestParseIndent(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "0": 0, "4": 4, "8": 8, "9": 8, "+4": 4, "-1": 0, " 4\t": 4, "04": 4, "1_0": 8, "0_1": 1,
		"_4": 0, "4_": 0, "1__0": 0, "4.0": 0, "0x4": 0, "+": 0, "+-4": 0, "four": 0, "\u0664": 0,
		strings.Repeat("9", 4300): 8, strings.Repeat("9", 4301): 0,
	} {
		if got := parseIndent(text); got != want {
			t.Errorf("%.20q: %d, want %d", text, got, want)
		}
	}
}
