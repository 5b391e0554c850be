package frontconfig_test

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
)

const (
	switchBegin = "listeners:\n- profile: ocd-users\n  address: 127.0.0.1:18000\n  front:\n    paths: [{path: /a/, token: pass}, {path: /gone/, token: refuse}]\n    old: http://x\n"
	attached    = "django+sqlite:none.db"
)

// TestSwitch reads what is switched, and what is if nothing is said.
func TestSwitch(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"    switch: []\n":       "",
		"    switch: [login]\n":  "login",
		"    new: http://y\n":    "register login logout logoutall /a/ other",
		"    new: http://x:81\n": "register login logout logoutall /a/ other",
		"    new: http://y\n    switch: [logout, /a/]\n": "logout /a/",
		"    switch: [other]\n    new: http://y\n":       "other",
	} {
		f, all, err := configtest.Resolve(t, switchBegin+text, "--store", attached)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		o, err := f.FrontOptions(all[0])
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(all[0].Front.Switch, " ")
		if got != want || (o.Switch != nil) != (want != "") || (o.New != nil) != strings.Contains(text, "new") {
			t.Errorf("%q: %q, want %q: %+v", text, got, want, o)
		}
		var out strings.Builder
		if err := f.WriteYAML(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if !strings.Contains(out.String(), line) && line != "    switch: []\n" {
				t.Errorf("%q: printed %s", line, out.String())
			}
		}
	}
	// Each application has its own name and roots.
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	f, all, err := configtest.Resolve(t, switchBegin+"    new: https://y\n    new_server_name: z\n    new_ca_file: "+certificate+"\n", "--store", attached)
	if err != nil {
		t.Fatal(err)
	}
	o, err := f.FrontOptions(all[0])
	if err != nil || o.New.URL.String() != "https://y" || o.New.TLS.ServerName != "z" || o.New.TLS.RootCAs == nil || o.Old.TLS.ServerName != "" || o.Old.TLS.RootCAs != nil {
		t.Errorf("%+v, %+v, %v", o.New, o.Old, err)
	}
	// A name that stands for two things is refused.
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "..", "profiles", "ocd-users.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(profile, []byte(strings.Replace(string(text), "  logoutall:\n", "  other:\n    action: logoutall\n    path: /all/\n    reply: {status: 204}\n  all:\n    action: logoutall\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for list, want := range map[string]string{"[other]": "the profile has an endpoint with that name", "[all]": "the profile has an endpoint with that name", "[login]": ""} {
		_, _, err := configtest.Resolve(t, strings.Replace(switchBegin, "profile: ocd-users", "profile: "+profile, 1)+"    switch: "+list+"\n", "--store", attached)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", list, err)
		}
	}
	// Paths need no shared tables.
	if _, all, err := configtest.Resolve(t, switchBegin+"    new: http://y\n    switch: [/a/, other]\n"); err != nil || len(all[0].Front.Switch) != 2 {
		t.Errorf("paths on a store of ours: %v", err)
	}
	if _, all, err := configtest.Resolve(t, "listeners: [{profile: ocd-users}]", "--front", "http://127.0.0.1:9000", "--store", attached); err != nil || all[0].Front.Switch != nil {
		t.Errorf("the flag switches: %v, %v", all, err)
	}
}

// TestSwitchProblems names what is wrong with a switch, with its position.
func TestSwitchProblems(t *testing.T) {
	const unshared = "a token of one side would be unknown to the other: work on the old application's own tables (--store django+postgres://… or django+sqlite:…), or list in switch only paths, and other"
	for _, test := range []struct{ text, want string }{
		{"    switch: login", "7:13: listeners.front.switch: want a list of endpoints, of paths as they stand in paths, or other"},
		{"    switch: [[login]]", "7:14: listeners.front.switch: want a text"},
		{"    switch: [login, logout, login]", "7:29: listeners.front.switch: login is switched twice (7:14: listeners.front.switch)"},
		{"    switch: [logon]", `7:14: listeners.front.switch: "logon" is no endpoint; did you mean login?`},
		{"    switch: [nonsense]", `7:14: listeners.front.switch: "nonsense" is no endpoint; the profile has register, login, logout, logoutall, and there are paths and other`},
		{"    switch: [/a/]", "7:14: listeners.front.switch: /a/ goes on to an application: give new, the URL of the new one"},
		{"    switch: [other]", "7:14: listeners.front.switch: other goes on to an application: give new, the URL of the new one"},
		{"    new: http://y\n    switch: [/a]\n", "8:14: listeners.front.switch: /a is none of paths: give it a rule there ({path: /a, token: pass} changes nothing else)\n7:10: listeners.front.new: is never used: switch has no path that goes on to it, nor other (8:13: listeners.front.switch)"},
		{"    new: http://y\n    switch: [/gone/, other]\n", "8:14: listeners.front.switch: nothing goes on from /gone/: its token is refuse"},
		{"    new: http://y\n    switch: []\n", "7:10: listeners.front.new: is never used: switch has no path that goes on to it, nor other (8:13: listeners.front.switch)"},
		{"    new: http://y\n    switch: [login]\n", "7:10: listeners.front.new: is never used: switch has no path that goes on to it, nor other (8:13: listeners.front.switch)"},
		{"    new: http://X:80", "7:10: listeners.front.new: http://X:80 is the old application too (6:10: listeners.front.old)"},
		{"    new: http://localhost:18000", "7:10: listeners.front.new: http://localhost:18000 is the listener 127.0.0.1:18000 itself (3:12: listeners.address): requests would go round for ever"},
		{"    new: http://user:secret@y", "7:10: listeners.front.new: the URL of the application has a name or a password, which nobody is sent"},
		{"    new: http://y\n    new_server_name: z", "8:22: listeners.front.new_server_name: needs an application at https://, not http://y"},
		{"    new_ca_file: z", "7:18: listeners.front.new_ca_file: is for the application of the new side: give new too"},
		{"    new: [x]", "7:10: listeners.front.new: want a value"},
		{"    switch: [logout, login] # on a store of ours", "7:14: listeners.front.switch: logout is switched, but " + unshared},
		{"    new: http://y # on a store of ours", "7:10: listeners.front.new: without a list switch, the endpoints of the profile are switched too, but " + unshared},
	} {
		args := []string{"--store", attached}
		if strings.Contains(test.text, "# on a store of ours") {
			args = nil
		}
		_, _, err := configtest.Resolve(t, switchBegin+test.text+"\n", args...)
		if err == nil {
			err = fmt.Errorf("nothing")
		}
		if d := cmp.Diff(test.want, err.Error()); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, d)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", test.text, err)
		}
	}
}
