package frontconfig_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
)

// TestFrontProblems names what is wrong with an application, with its position.
func TestFrontProblems(t *testing.T) {
	const begin = "manage: 127.0.0.1:18081\nlisteners:\n- profile: ocd-users\n  address: 0.0.0.0:18000\n  front:\n"
	for text, want := range map[string]string{
		"    {}":                                "6:5: listeners.front: want old, the URL of the application",
		"    old: http://127.0.0.1:18000":       "6:10: listeners.front.old: http://127.0.0.1:18000 is the listener 0.0.0.0:18000 itself (4:12: listeners.address): requests would go round for ever",
		"    old: http://localhost:18081":       "6:10: listeners.front.old: http://localhost:18081 is the listener 127.0.0.1:18081 itself (1:9: manage): requests would go round for ever",
		"    old: http://user:secret@x":         "6:10: listeners.front.old: the URL of the application has a name or a password, which nobody is sent",
		"    old: user:secret@x:9000":           "6:10: listeners.front.old: the URL of the application has a name or a password, which nobody is sent",
		"    old: ftp://x":                      `6:10: listeners.front.old: "ftp://x": want http://HOST:PORT or https://HOST:PORT`,
		"    old: http://x/api":                 `6:10: listeners.front.old: "http://x/api": want a host alone: paths are passed on as they are`,
		"    old: http://x:0":                   `6:10: listeners.front.old: "http://x:0": a port is 1 to 65535`,
		"    old: http://x\n    next: http://y": "7:5: listeners.front.next: unknown key; the keys here are old, ca_file, server_name, new, new_ca_file, new_server_name, timeout, idle_timeout, recheck, max_body, identity, adopt, switch, shadow, paths",
		"    old: http://x\n    server_name: y": "7:18: listeners.front.server_name: needs an application at https://, not http://x",
		"    old: http://x\n    timeout: 1ms":   `7:14: listeners.front.timeout: "1ms" is too short: want at least 1s`,
		"    old: http://x\n    max_body: 10MB": `7:15: listeners.front.max_body: "10MB" is no size: want bytes, for instance 1048576, 100MiB or 4GiB`,
		"    old: http://x\n    paths: [{path: /a/, token: needed}, {path: /a/b, token: pass}]": "7:41: listeners.front.paths: /a/b (pass) contradicts /a/ (needed), which comes first (7:13: listeners.front.paths)",
		"    old: http://x\n    paths: [{path: /a, token: maybe}]":                              `7:31: listeners.front.paths.token: "maybe": want pass or checked or needed or refuse`,
	} {
		_, _, err := configtest.Resolve(t, begin+text+"\n")
		if err == nil {
			err = fmt.Errorf("nothing")
		}
		if d := cmp.Diff(want, err.Error()); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

// TestFront reads all there is to an application, and prints it again.
func TestFront(t *testing.T) {
	const text = `listeners:
  - profile: ocd-users
    address: 0.0.0.0:18000
    front:
      old: http://192.0.2.1:18000
      timeout: 30s
      idle_timeout: 2h
      recheck: 5m
      max_body: 4GiB
      identity: {authorization: drop}
      paths:
        - {path: /a/b, token: pass}
        - {path: /a/, token: needed}
`
	f, all, err := configtest.Resolve(t, text)
	if err != nil {
		t.Fatal(err)
	}
	got := all[0].Front
	if got.URL.String() != "http://192.0.2.1:18000" || got.MaxBody != 4<<30 || got.IdleTimeout.Hours() != 2 || len(got.Rules) != 2 || got.Identity == nil || !got.Identity.DropAuthorization {
		t.Errorf("%+v", got)
	}
	var out strings.Builder
	if err := f.WriteYAML(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if _, front, _ := strings.Cut(text, "    address"); !strings.Contains(out.String(), front[strings.Index(front, "    front"):]) {
		t.Errorf("printed: %s", out.String())
	}
}

// TestFrontFlag serves a single profile before an application.
func TestFrontFlag(t *testing.T) {
	for text, want := range map[string]string{
		"listeners: [{profile: ocd-users}]": "",
		"listeners: [{profile: ocd-users, address: \"127.0.0.1:18000\", front: {old: http://x}}]":                           "--front: the listener has an application already (1:69: listeners.front): give one or the other",
		"listeners: [{profile: ocd-users, address: \"127.0.0.1:18000\"}, {profile: snippit, address: \"127.0.0.1:18001\"}]": "--front: is for a single profile: give each of the listeners a section front in a configuration file",
	} {
		_, all, err := configtest.Resolve(t, text, "--front", "http://127.0.0.1:9000")
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if want == "" && (all[0].Front == nil || all[0].FrontAt != "--front") {
			t.Errorf("%s: %+v", text, all[0])
		}
	}
}
