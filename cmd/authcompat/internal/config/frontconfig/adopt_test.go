package frontconfig_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
)

// TestAdoptProblems names what is wrong with a section adopt, with its position.
func TestAdoptProblems(t *testing.T) {
	const begin = "listeners:\n- profile: ocd-users\n  address: 127.0.0.1:18000\n  front:\n    old: http://x\n    adopt: "
	const good = "login: http://x/login/, until: 2099-01-01"
	for text, want := range map[string]string{
		"yes":                                   "6:12: listeners.front.adopt: want a map with login, probe and until",
		"{}":                                    "6:12: listeners.front.adopt: want login, the URL of the old server's login\n6:12: listeners.front.adopt: want until, the date from which on the old server is not asked any more",
		"{" + good + ", name: x}":               "6:56: listeners.front.adopt.name: unknown key; the keys here are login, probe, host, until",
		"{login: , until: 2099-01-01}":          "6:13: listeners.front.adopt.login: want a value",
		"{login: http://x/login/, until: soon}": `6:44: listeners.front.adopt.until: "soon": want a time such as 2026-11-22T06:00:00Z, or a date such as 2026-11-22 (UTC)`,
		"{login: http://x/login/, until: 2099-02-30}":                                        `6:44: listeners.front.adopt.until: "2099-02-30": want a time such as 2026-11-22T06:00:00Z, or a date such as 2026-11-22 (UTC)`,
		"{login: \"http://ann:secret@x/\", until: 2099-01-01}":                               "6:20: listeners.front.adopt.login: the URL has a name or a password, which nobody is sent",
		"{login: \"http://ann:secret@x:y/\", until: 2099-01-01}":                             "6:20: listeners.front.adopt.login: the URL can't be read: want for instance http://127.0.0.1:9000/api/login/",
		"{login: /login/, until: 2099-01-01}":                                                `6:20: listeners.front.adopt.login: "/login/": want http://HOST:PORT/PATH or https://HOST:PORT/PATH`,
		"{login: \"ftp://x/\", until: 2099-01-01}":                                           `6:20: listeners.front.adopt.login: "ftp://x/": want http://HOST:PORT/PATH or https://HOST:PORT/PATH`,
		"{login: \"http://x:0/\", until: 2099-01-01}":                                        `6:20: listeners.front.adopt.login: "http://x:0/": want http://HOST:PORT/PATH or https://HOST:PORT/PATH`,
		"{login: \"http://x/#a\", until: 2099-01-01}":                                        `6:20: listeners.front.adopt.login: "http://x/#a": a fragment is not sent`,
		"{login: \"http://127.0.0.1:18000/api/login/\", until: 2099-01-01}":                  "6:20: listeners.front.adopt.login: http://127.0.0.1:18000/api/login/ is the listener 127.0.0.1:18000 itself (3:12: listeners.address): requests would go round for ever",
		"{" + good + ", probe: \"http://localhost:18000/me/\"}":                              "6:63: listeners.front.adopt.probe: http://localhost:18000/me/ is the listener 127.0.0.1:18000 itself (3:12: listeners.address): requests would go round for ever",
		"{" + good + "}\n    paths: [{path: /a/, token: pass}, {path: /b/, token: checked}]": "6:12: listeners.front.adopt: want probe, a URL of the old server that needs a token: /b/ (7:39: listeners.front.paths) checks tokens, and those of the old server are unknown here",
		"{" + good + "}\n    paths: [{path: /a/, token: pass}, {path: /b/, token: refuse}]":  "nothing",
		"{" + good + ", host: api.example/x}":                                                `6:62: listeners.front.adopt.host: want HOST or HOST:PORT, as the old server is called by its clients`,
		"{" + good + ", host: \"ann:secret@x\"}":                                             `6:62: listeners.front.adopt.host: want HOST or HOST:PORT, as the old server is called by its clients`,
		"{" + good + ", host: \"api.example:8443\"}":                                         "nothing",
		"{" + good + "}": "nothing",
	} {
		_, _, err := configtest.Resolve(t, begin+text+"\n")
		if err == nil {
			err = fmt.Errorf("nothing")
		}
		if d := cmp.Diff(want, err.Error()); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	_, _, err := configtest.Resolve(t, begin+"{"+good+"}\n", "--store", "django+sqlite:x.db")
	const want = "6:12: listeners.front.adopt: the store is the old server's own database: its users are there already, and none is adopted"
	if err == nil || err.Error() != want {
		t.Errorf("on Django's tables: %v, want %s", err, want)
	}
	profile := filepath.Join(t.TempDir(), "p.yaml")
	text := "name: p\ntitle: P\ndocument: none\nfamily: drf\nstack: drf-3.14\ntokens: {hex: 40, ttl: never, per_user: many}\nendpoints:\n  logout:\n    path: /logout/\n    reply: {status: 204}\n"
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = configtest.Resolve(t, strings.Replace(begin, "ocd-users", profile, 1)+"{"+good+"}\n")
	if want := "6:12: listeners.front.adopt: profile p has no login endpoint with fields, at which users could be adopted"; err == nil || err.Error() != want {
		t.Errorf("without a login: %v, want %s", err, want)
	}
}

// TestAdoptAndAccounts refuses profiles in which the old server is asked about names that it does
// not know, or goes on vouching for what has ended here.
func TestAdoptAndAccounts(t *testing.T) {
	const head = "name: p\nfamily: drf\nstack: drf-3.14\ntokens: {hex: 40, ttl: never, per_user: many}\nendpoints:\n  login: {path: /login/, fields: {NAME: {}, password: {}}, reply: {status: 200}}\n"
	const at = "5:12: listeners.front.adopt: "
	for endpoints, want := range map[string]string{
		strings.ReplaceAll(head, "NAME", "username"): "",
		strings.ReplaceAll(head, "NAME", "email"):    at + "users of profile p log in by their addresses, too, and an old server is asked about usernames alone",
		strings.ReplaceAll(head, "NAME", "username") + "  change: {action: set_password, path: /change/, fields: {password: {}}, reply: {status: 204}}\n": at + "profile p has change (set_password): the old server goes on vouching for names and passwords that are changed here",
	} {
		profile := filepath.Join(t.TempDir(), "p.yaml")
		if err := os.WriteFile(profile, []byte(endpoints), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, _, err := configtest.Resolve(t, "listeners:\n- profile: "+profile+"\n  front:\n    old: http://x\n    adopt: {login: http://x/login/, until: 2099-01-01}\n"); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", endpoints, got, want)
		}
	}
}

// TestAdoptAndRegister refuses a profile at which the names of the old server's users could be
// registered.
func TestAdoptAndRegister(t *testing.T) {
	listener := func(profile, port, until string) string {
		section := ""
		if until != "" {
			section = ", front: {old: http://x, adopt: {login: http://x/login/, until: " + until + "}}"
		}
		return "- {profile: " + profile + ", address: \"127.0.0.1:" + port + "\"" + section + "}\n"
	}
	const later, over = "2099-01-01", "2020-01-01"
	for text, good := range map[string]bool{
		listener("ocd-users", "18000", later) + listener("authtokens", "18001", ""):    false,
		listener("authtokens", "18001", over) + listener("ocd-users", "18000", later):  true, // it passes them on for ever
		listener("authtokens", "18001", later) + listener("ocd-users", "18000", later): true,
		listener("snippit", "18001", "") + listener("ocd-users", "18000", later):       true, // it has no registration
		listener("authtokens", "18001", "") + listener("ocd-users", "18000", over):     false,
		listener("authtokens", "18001", over) + listener("ocd-users", "18000", over):   true,
	} {
		_, _, err := configtest.Resolve(t, "listeners:\n"+text)
		const want = "listeners.front.adopt.until: users of profile ocd-users are adopted, and profile authtokens lets anybody register in the same store, under the name of one who has not logged in yet: adopt its users too, or serve it without register"
		if good && err != nil || !good && (err == nil || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestAdopt reads the section, prints it again, and knows when it is over.
func TestAdopt(t *testing.T) {
	const text = `listeners:
  - profile: ocd-users
    address: 0.0.0.0:18000
    front:
      old: http://192.0.2.1:18000
      adopt: {login: 'http://old.example/api/login/?x=1', probe: 'https://old.example:8443/me/', host: api.example, until: "2027-03-31"}
      paths:
        - {path: /a/, token: needed}
`
	f, all, err := configtest.Resolve(t, text)
	if err != nil {
		t.Fatal(err)
	}
	got := all[0].Front.Adopt
	until := time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)
	if got.Login.String() != "http://old.example/api/login/?x=1" || got.Probe.Host != "old.example:8443" || got.Host != "api.example" || !got.Until.Equal(until) {
		t.Errorf("%+v", got)
	}
	var out strings.Builder
	if err := f.WriteYAML(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if section := text[strings.Index(text, "      adopt"):strings.Index(text, "      paths")]; !strings.Contains(strings.ReplaceAll(out.String(), "'", ""), strings.ReplaceAll(section, "'", "")) {
		t.Errorf("printed: %s", out.String())
	}
	if err := config.OverAdoptions(all, until.Add(-time.Nanosecond)); err != nil {
		t.Errorf("before its end: %v", err)
	}
	if err := config.OverAdoptions(all, until); err == nil || !strings.Contains(err.Error(), ":6:") || !strings.Contains(err.Error(), "listeners.front.adopt.until: 2027-03-31T00:00:00Z is over") {
		t.Errorf("at its end: %v", err)
	}
	if _, all, err = configtest.Resolve(t, strings.Replace(text, `"2027-03-31"`, "2027-03-31T18:00:00+02:00", 1)); err != nil || !all[0].Front.Adopt.Until.Equal(until.Add(16*time.Hour)) {
		t.Errorf("a time: %v", err)
	}
}

// TestAdoptURLIsMasked prints no password that is given in a URL.
func TestAdoptURLIsMasked(t *testing.T) {
	const text = "listeners: [{profile: ocd-users, address: \"127.0.0.1:18000\", front: {old: http://x, adopt: {login: \"http://ann:secret@x/\", host: \"ann:secret@x\", until: 2099-01-01}}}]\n"
	if _, _, err := configtest.Resolve(t, strings.Replace(text, "http://ann", "ann", 1)); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("without a scheme: %v", err)
	}
	f, _, err := configtest.Resolve(t, text)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	var out strings.Builder
	if err := f.WriteYAML(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "ann:secret") || !strings.Contains(out.String(), "login: '***', host: '***'") {
		t.Errorf("printed: %s", out.String())
	}
}
