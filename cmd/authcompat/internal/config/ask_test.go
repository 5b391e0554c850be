package config_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
)

const identityKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// TestAskProblems names what is wrong with the listener that is asked at, with its position.
func TestAskProblems(t *testing.T) {
	t.Chdir(t.TempDir())
	digest := strings.Repeat("ab", 32)
	for name, text := range map[string]string{"good": "a: sha256:" + digest, "bad": "a: sha256:" + digest + "\nb: hunter2\n", "keys": identityKey + "\n", "short": "AAAA\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const begin = "manage: 127.0.0.1:18081\nlisteners: [{profile: ocd-users, address: '127.0.0.1:18000'}]\n"
	for text, want := range map[string]string{
		"ask: {address: '127.0.0.1:18082'}":                             "",
		"ask: {address: '127.0.0.1:18082', callers_file: good}":         "",
		"ask: {address: '127.0.0.1:18082', callers_file: bad}":          "bad:2:1: b: want sha256: and 64 hex digits, the digest of the secret",
		"ask: {address: '127.0.0.1:18082', callers_file: none}":         "3:49: ask.callers_file: open none: no such file or directory",
		"ask: {callers_file: good}":                                     "3:21: ask.callers_file: needs the listener that services ask at (--ask, ask.address)",
		"ask: {address: '127.0.0.1:18081'}":                             "3:16: ask.address: 127.0.0.1:18081 is taken by another listener, 127.0.0.1:18081 (1:9: manage)",
		"ask: {address: '127.0.0.1:18000'}":                             "3:16: ask.address: 127.0.0.1:18000 is taken by another listener, 127.0.0.1:18000 (2:43: listeners.address)",
		"ask: {address: '127.0.0.1:18082', identity: {}}":               "",
		"ask: {address: '127.0.0.1:18082', identity: {key_file: keys}}": "",
		"ask: {address: '127.0.0.1:18082', tls: off}":                   "",
		"ask: {address: '127.0.0.1:18082', tls: on}":                    "3:40: ask.tls: needs TLS: give a certificate too (--tls-cert, tls.cert_file)",
		"ask: {address: '127.0.0.1:18082', tls: maybe}":                 `3:40: ask.tls: "maybe": want on or off`,
		"ask: {tls: on}":                                                 "3:12: ask.tls: needs TLS: give a certificate too (--tls-cert, tls.cert_file)\n3:12: ask.tls: needs the listener that proxies and services ask at (--ask, ask.address)",
		"ask: {identity: {}}":                                            "3:17: ask.identity: needs the listener that proxies ask at (--ask, ask.address)",
		"ask: {identity: {key_file: keys}}":                              "3:28: ask.identity.key_file: needs the listener that proxies ask at (--ask, ask.address)",
		"ask: {address: '127.0.0.1:18082', identity: yes}":               "3:45: ask.identity: want a map with key_file, or {}",
		"ask: {address: '127.0.0.1:18082', identity: {key: x}}":          "3:46: ask.identity.key: unknown key; the keys here are key_file",
		"ask: {address: '127.0.0.1:18082', identity: {key_file: }}":      "3:46: ask.identity.key_file: want a value",
		"ask: {address: '127.0.0.1:18082', identity: {key_file: none}}":  "3:56: ask.identity.key_file: open none: no such file or directory",
		"ask: {address: '127.0.0.1:18082', identity: {key_file: short}}": "3:56: ask.identity.key_file: short: identity key 1 is not 32 bytes in base64 (openssl rand -base64 32)",
		"ask: {address: x}":                                              `3:16: ask.address: "x" is no address: want HOST:PORT, for instance 127.0.0.1:8082; did you mean x:8082?`,
		"ask: {where: x}":                                                "3:7: ask.where: unknown key; the keys here are address, tls, callers_file, identity",
		"ask: 127.0.0.1:18082":                                           "3:6: ask: want a map",
		"ask: {address: ['127.0.0.1:18082'], callers_file: good}":        "3:16: ask.address: want a value",
	} {
		got := ""
		if _, _, err := configtest.Resolve(t, begin+text+"\n"); err != nil {
			got = err.Error()
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

// TestAsk reads the listener, prints it again, and takes another address for a restart.
func TestAsk(t *testing.T) {
	callers := filepath.Join(t.TempDir(), "callers")
	if err := os.WriteFile(callers, []byte("a: sha256:"+strings.Repeat("ab", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	const begin = "listeners: [{profile: ocd-users, address: '127.0.0.1:18000'}]\nask: {address: '"
	f, _, err := configtest.Resolve(t, begin+"0.0.0.0:18082', callers_file: "+callers+"}\n")
	if err != nil {
		t.Fatal(err)
	}
	if f.Ask != "0.0.0.0:18082" || f.CallersFile != callers || f.Callers == nil {
		t.Errorf("%q, %q, %v", f.Ask, f.CallersFile, f.Callers)
	}
	var out strings.Builder
	if err := f.WriteYAML(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "\nask:\n  address: 0.0.0.0:18082 #") || !strings.Contains(text, "\n  callers_file: "+callers+" #") {
		t.Errorf("printed:\n%s", text)
	}
	if weak := f.Weaknesses(); len(weak) != 1 || !strings.HasSuffix(weak[0].At, ":2:16: ask.address") || !strings.Contains(weak[0].Text, "0.0.0.0:18082") {
		t.Errorf("weak: %v", weak)
	}
	moved, _, err := configtest.Resolve(t, begin+"127.0.0.1:18083'}\n")
	if err != nil {
		t.Fatal(err)
	}
	var restart []string
	for _, c := range moved.Diff(&f.Config) {
		if c.Restart {
			restart = append(restart, c.Key)
		}
	}
	if d := cmp.Diff([]string{"ask.address", "store"}, restart); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if weak := moved.Weaknesses(); len(weak) != 0 {
		t.Errorf("of loopback: %v", weak)
	}
}

// TestAskTLS has what the listeners of APIs have, but nothing older than TLS 1.2.
func TestAskTLS(t *testing.T) {
	for value, want := range map[string]uint16{"1.0": tls.VersionTLS12, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		c := config.NewServer()
		c.TLSLegacyCiphers = true
		if err := c.TLSMinVersion.Set(value); err != nil {
			t.Fatal(err)
		}
		if got := c.AskTLSOptions(); got.MinVersion != want || got.LegacyCiphers {
			t.Errorf("%s: %+v", value, got)
		}
	}
}

// TestAskIdentity takes the section and the flag for the same, prints the section again with its
// source, and no key that is in the place of its file's name.
func TestAskIdentity(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(identityKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const begin = "listeners: [{profile: ocd-users, address: '127.0.0.1:18000'}]\nask: {address: '127.0.0.1:18082'"
	for _, test := range []struct {
		text, flag string
		want       config.AskIdentity
		printed    string // in YAML; empty: nothing
	}{
		{"}", "", config.AskIdentity{}, ""},
		{"}", "off", config.AskIdentity{}, ""},
		{", identity: {}}", "off", config.AskIdentity{}, ""},
		{", identity: {}}", "", config.AskIdentity{On: true}, "{}"},
		{", identity: {key_file: " + file + "}}", "", config.AskIdentity{true, file}, "{key_file: " + file + "}"},
		{", identity: {key_file: none}}", file, config.AskIdentity{true, file}, "{key_file: " + file + "}"},
		{"}", "on", config.AskIdentity{On: true}, "{}"},
	} {
		var args []string
		source := "--ask-identity"
		if test.flag != "" {
			args = []string{"--ask-identity", test.flag}
		} else {
			source = "c.yaml:2"
		}
		f, _, err := configtest.Resolve(t, begin+test.text+"\n", args...)
		if err != nil || f.AskIdentity != test.want {
			t.Errorf("%s, %s: %+v, %v", test.text, test.flag, f.AskIdentity, err)
			continue
		}
		var out strings.Builder
		if err := f.WriteYAML(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		_, line, found := strings.Cut(out.String(), "\n  identity: ")
		line, _, _ = strings.Cut(line, "\n")
		if found != (test.printed != "") || found && (!strings.HasPrefix(line, test.printed+" # ") || !strings.HasSuffix(line, source)) {
			t.Errorf("%s, %s: printed %q", test.text, test.flag, line)
		}
	}
	_, _, err := configtest.Resolve(t, begin+", identity: {}}\n", "--store", "postgres://127.0.0.1/x")
	const want = "2:45: ask.identity: no file is named, and beside this store there can be none: make one (openssl rand -base64 32, mode 0600), and name it with key_file"
	if err == nil || err.Error() != want {
		t.Errorf("on PostgreSQL: %v, want %s", err, want)
	}
	f, _, err := configtest.Resolve(t, begin+", identity: {key_file: \""+identityKey+"\"}}\n")
	if err == nil || strings.Contains(err.Error(), identityKey) {
		t.Errorf("a key for a file: %v", err)
	}
	var out strings.Builder
	if err := f.WriteYAML(t.Context(), &out); err != nil || strings.Contains(out.String(), identityKey) || !strings.Contains(out.String(), "identity: {key_file: '***'}") {
		t.Errorf("printed: %v, %s", err, out.String())
	}
}
