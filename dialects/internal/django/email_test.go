package django

import (
	"strings"
	"testing"
)

type emailTest struct {
	address string
	want    bool
}

// emailTests has the results of EmailValidator of Django 3.2.25.
func emailTests() []emailTest {
	return []emailTest{
		{"a@example.com", true},
		{"a@localhost", true},
		{"a@LOCALHOST", false},
		{"a@b", false},
		{"a@b.c", false},
		{"a@b.co", true},
		{"a@1.1.1.1", false},
		{"a@[127.0.0.1]", true},
		{"a@[127.0.0.256]", false},
		{"a@[01.2.3.4]", false},
		{"a@[::1]", true},
		{"a@[::ffff:1.2.3.4]", true},
		{"a@[::1%eth0]", false},
		{"a@[IPv6:::1]", false},
		{`"a b"@example.com`, false},
		{`"a\ b"@example.com`, true},
		{`"a\"b"@example.com`, true},
		{`""@example.com`, true},
		{"a..b@example.com", false},
		{"!#$%&'*+/=?^_`{|}~-@example.com", true},
		{"\u00fc@example.com", false},
		{"\u212a@example.com", true}, // re.IGNORECASE treats the Kelvin sign as a k
		{"a@\u212a.com", true},
		{"a@ex_ample.com", false},
		{"a@-example.com", false},
		{"a@example.com.", false},
		{"a@example.com\n", false},
		{"a@b\u00fccher.de", true},
		{"a@stra\u00dfe.de", true},
		{"a@\U0001f600.com", true},
		{"a@b\u3002com", true},
		{"a@a\u05d0.il", false},
		{"a@\u05d0\u05d1.il", true},
		{"a@\u00ad.com", false},
		{"a@xn--\u00fc.de", false},
		{"a@" + strings.Repeat("b", 63) + ".com", true},
		{"a@" + strings.Repeat("b", 64) + ".com", false},
		{strings.Repeat("a", 308) + "@example.com", true},
		{strings.Repeat("a", 309) + "@example.com", false},
		{"", false},
		{"@", false},
	}
}

func TestEmails(t *testing.T) {
	emails := NewEmails()
	for _, tt := range emailTests() {
		if got := emails.Valid(tt.address); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.address, got, tt.want)
		}
	}
}

func FuzzEmails(f *testing.F) {
	for _, tt := range emailTests() {
		f.Add(tt.address)
	}
	emails := NewEmails()
	f.Fuzz(func(t *testing.T, address string) {
		if emails.Valid(address) && (!strings.Contains(address, "@") || strings.ContainsAny(address, "\r\n")) {
			t.Errorf("%q is valid", address)
		}
	})
}
