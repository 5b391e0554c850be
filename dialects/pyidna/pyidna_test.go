package pyidna

import (
	"strings"
	"testing"
)

type domainTest struct{ domain, want string }

// domainTests has the results of CPython's domain.encode("idna"); "" is an error.
func domainTests() []domainTest {
	u63 := strings.Repeat("a", 63)
	return []domainTest{
		{"example.com", "example.com"},
		{"Example.COM", "Example.COM"},
		{"example.com.", "example.com."},
		{"b\u00fccher.de", "xn--bcher-kva.de"},
		{"B\u00dcCHER.DE", "xn--bcher-kva.DE"},
		{"stra\u00dfe.de", "strasse.de"},           // UTS 46 would keep it
		{"\u03c2.gr", "xn--4xa.gr"},                // a final sigma folds
		{"\u4f8b\u3048\u3002jp", "xn--r8jz45g.jp"}, // an ideographic full stop
		{"\U0001f600.com", "xn--e28h.com"},         // newer than Unicode 3.2, and let through
		{"\ufb01.com", "fi.com"},
		{"b\u00ad.com", "b.com"},   // a soft hyphen vanishes
		{"\u00ad.com", ""},         // which leaves nothing
		{"a\u200db.com", "ab.com"}, // joiners vanish too
		{"a\u2026b.de", "a...b.de"},
		{"\u00fc\u2024b.de", "xn--.b-wka.de"},
		{"\u05d0\u05d1.il", "xn--4dbc.il"},
		{"a\u05d0.il", ""}, // mixed directions
		{"\u05d01.il", ""}, // the last character has no direction
		{"\u05d01\u05d1.il", "xn--1-zhce.il"},
		{"a\u3000b.de", "a b.de"}, // NFKC runs before the check for prohibited characters
		{"a\u00a0b.de", "a b.de"},
		{"a\u1680b.de", ""},
		{"a\ue000b.de", ""},
		{"\U000e0041.de", ""},
		{"xn--\u00fc.de", ""},
		{"a..b", ""},
		{".", ""},
		{"", ""},
		{u63 + ".de", u63 + ".de"},
		{u63 + "a.de", ""},
		{strings.Repeat("\u00fc\u4f8b", 30) + ".de", ""},
	}
}

func TestToASCII(t *testing.T) {
	codec := New()
	for _, tt := range domainTests() {
		got, err := codec.ToASCII(tt.domain)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q is %q, %v, want %q", tt.domain, got, err, tt.want)
		}
	}
}

func FuzzToASCII(f *testing.F) {
	codec := New()
	for _, tt := range domainTests() {
		f.Add(tt.domain)
	}
	for _, seed := range []string{"\u2026", "xn--a", "\x00\u00fc", "\xff.de"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, domain string) {
		ascii, err := codec.ToASCII(domain)
		if err == nil && !isASCII(ascii) {
			t.Errorf("%q is %q", domain, ascii)
		}
	})
}
