package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
	"github.com/authcompat/authcompat/profiles"
)

// TestDeprecationHeaders has the headers of RFC 9745, of RFC 8594 and of the links in both, and prints
// what they come from.
func TestDeprecationHeaders(t *testing.T) {
	for text, want := range map[string][]profiles.Header{
		"":                                      nil,
		"  deprecation: 2023-06-30T23:59:59Z\n": {{Name: "Deprecation", Value: "@1688169599"}}, // the example of RFC 9745, 2.1
		"  sunset: 2018-12-31T23:59:59Z\n":      {{Name: "Sunset", Value: "Mon, 31 Dec 2018 23:59:59 GMT"}},
		"  deprecation: 2023-06-30\n  sunset: 2023-06-30T02:00:00+02:00\n  deprecation_link: https://developer.example.com/deprecation?a=b#c\n": {
			{Name: "Deprecation", Value: "@1688083200"}, {Name: "Sunset", Value: "Fri, 30 Jun 2023 00:00:00 GMT"},
			{Name: "Link", Value: `<https://developer.example.com/deprecation?a=b#c>; rel="deprecation", <https://developer.example.com/deprecation?a=b#c>; rel="sunset"`},
		},
		"  sunset: 2018-12-31T23:59:59Z\n  deprecation_link: http://x\n": {
			{Name: "Sunset", Value: "Mon, 31 Dec 2018 23:59:59 GMT"}, {Name: "Link", Value: `<http://x>; rel="sunset"`},
		},
	} {
		_, plain, err := configtest.Resolve(t, "listeners:\n- profile: authtokens\n")
		if err != nil {
			t.Fatal(err)
		}
		f, all, err := configtest.Resolve(t, "listeners:\n- profile: authtokens\n"+text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(append(plain[0].Profile.Headers, want...), all[0].Profile.Headers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		var printed strings.Builder
		if err := f.WriteYAML(t.Context(), &printed); err != nil {
			t.Fatal(err)
		}
		_, again, err := configtest.Resolve(t, printed.String())
		if err != nil {
			t.Fatalf("%s: %v", printed.String(), err)
		}
		if diff := cmp.Diff(all[0].Profile.Headers, again[0].Profile.Headers); diff != "" {
			t.Errorf("%s: printed as %s (-want +got):\n%s", text, printed.String(), diff)
		}
	}
}

// TestDeprecationProblems names what is wrong, with its position.
func TestDeprecationProblems(t *testing.T) {
	const begin = "listeners:\n- profile: authtokens\n"
	const form = `want a time such as 2026-11-22T06:00:00Z, or a date such as 2026-11-22 (UTC)`
	for text, want := range map[string]string{
		"  deprecation: soon":       `3:16: listeners.deprecation: "soon": ` + form,
		"  sunset: 2026-13-01":      `3:11: listeners.sunset: "2026-13-01": ` + form,
		"  deprecation: 1960-01-01": `3:16: listeners.deprecation: "1960-01-01": HTTP's dates have years from 1970 to 9999`,
		"  sunset: []":              `3:11: listeners.sunset: want a value`,
		"  sunset: 2026-01-01\n  deprecation: 2026-01-01T00:00:01Z":                                 `3:11: listeners.sunset: 2026-01-01 is before the deprecation, 2026-01-01T00:00:01Z (4:16: listeners.deprecation)`,
		"  deprecation_link: https://x":                                                             `3:21: listeners.deprecation_link: explains a deprecation or a sunset: give one of them too`,
		"  deprecation: 2026-01-01\n  deprecation_link: /docs":                                      `4:21: listeners.deprecation_link: want a URL such as https://example.com/old-api, which everybody is shown`,
		"  deprecation: 2026-01-01\n  deprecation_link: 'http://x/>;'":                              `4:21: listeners.deprecation_link: want a URL such as https://example.com/old-api, which everybody is shown`,
		"  deprecation: 2026-01-01\n  deprecation_link: http://u:p@x":                               `4:21: listeners.deprecation_link: the URL has a name or a password, and everybody is shown it`,
		"  deprecated: 2026-01-01":                                                                  `3:3: listeners.deprecated: unknown key; the keys here are profile, address, tls_min_version, tls_legacy_ciphers, front, deprecation, sunset, deprecation_link`,
		"  address: 127.0.0.1:0\n- {profile: own.yaml, address: '127.0.0.1:0', sunset: 2026-01-01}": `4:55: listeners.sunset: the profile has a header Sunset of its own`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Chdir(t.TempDir())
			own, err := profiles.Load("ocd-users")
			if err != nil {
				t.Fatal(err)
			}
			own.Headers = append(own.Headers, profiles.Header{Name: "sunset", Value: "x"})
			data, err := own.YAML()
			if err == nil {
				err = os.WriteFile("own.yaml", data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = configtest.Resolve(t, begin+text+"\n")
			if err == nil {
				err = fmt.Errorf("nothing")
			}
			if d := cmp.Diff(want, err.Error()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestCountsCallers tells where callers are counted.
func TestCountsCallers(t *testing.T) {
	for text, want := range map[string][2]bool{ // on a database of its own, on Django's
		"":                                       {true, false},
		"callers: {enabled: auto}":               {true, false},
		"callers: {enabled: on}":                 {true, true},
		"callers: {enabled: off}":                {},
		"callers: {retention: 0}":                {},
		"callers: {retention: 1d}":               {true, false},
		"callers: {enabled: off, retention: 0d}": {},
	} {
		f, _, err := configtest.Resolve(t, "listeners: [{profile: authtokens}]\n"+text+"\n")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := [2]bool{f.CountsCallers(false), f.CountsCallers(true)}; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for text, want := range map[string]string{
		"{enabled: on, retention: 0}": "2:35: callers.retention: 0 keeps nothing, but callers are to be counted (2:20: callers.enabled): give for instance 90d, or off there",
		"{enabled: true}":             `2:20: callers.enabled: "true": want auto or on or off`,
		"{retention: long}":           `2:22: callers.retention: "long" is no duration: want for instance 90d, 12h or 15m, at most 36500d`,
	} {
		_, _, err := configtest.Resolve(t, "listeners: [{profile: authtokens}]\ncallers: "+text+"\n")
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
