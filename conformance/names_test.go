package conformance

import (
	"testing"
	"unicode/utf8"
)

func TestUsernames(t *testing.T) {
	fresh, run := &naming{}, &naming{run: "abc123"}
	for _, test := range []struct {
		names *naming
		user  user
		want  string
	}{
		{fresh, user{username: "AzureDiamond"}, "AzureDiamond"},
		{fresh, user{username: "ab", length: 12}, "abxxxxxxxxxx"},
		{run, user{username: "AzureDiamond"}, "AzureDiamond-abc123000"},
		{run, user{username: "AzureDiamond"}, "AzureDiamond-abc123001"},
		{run, user{username: "ab", length: 15}, "abxxx-abc123002"},
		{run, user{username: "AzureDiamond", length: 14}, "Azur-abc123003"},
		{run, user{username: "äöüäöüäöüäöü", length: 13}, "äöü-abc123004"},
	} {
		got := test.names.username(test.user)
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
		if n := utf8.RuneCountInString(got); test.user.length > 0 && n != test.user.length {
			t.Errorf("%s: %d characters", got, n)
		}
	}
	if a, b := runName(), runName(); len(a) != 6 || a == b {
		t.Errorf("run names %s and %s", a, b)
	}
}
