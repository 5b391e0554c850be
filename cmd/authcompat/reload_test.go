package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// sighup sends SIGHUP and returns the log from then on, up to a message.
func (p *process) sighup(t testing.TB, message string) string {
	t.Helper()
	seen := len(p.log.String())
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, message, func() bool { return strings.Contains(p.log.String()[seen:], message) })
	return p.log.String()[seen:]
}

// restarting returns the settings that a log says need a restart.
func restarting(t testing.TB, log string) []string {
	t.Helper()
	var all []string
	for text := range strings.Lines(log) {
		var line struct {
			Level    string
			Settings []string
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if line.Settings != nil && line.Level != "WARN" {
			t.Errorf("not a warning: %s", text)
		}
		all = append(all, line.Settings...)
	}
	return all
}

// base returns every setting by its key, each at its default or at a value that suits the
// tests.
func base(t testing.TB) map[string]string {
	return map[string]string{
		"listeners": "[{profile: authtokens}]", "listen": "127.0.0.1:0", "manage": "127.0.0.1:0", "store": database(t), "password_iterations": "100",
		"tls.cert_file": "cert.pem", "tls.key_file": "key.pem", "ask.address": "127.0.0.1:0",
	}
}

// startConfigured starts a server that takes all its settings from c.yaml.
func startConfigured(t testing.TB) *process {
	t.Helper()
	return startWith(t, func(cmd *exec.Cmd) { cmd.Args = []string{cmd.Args[0], "serve", "--config", "c.yaml"} })
}

// file writes settings to c.yaml, with changes.
func file(t testing.TB, settings map[string]string, changes ...string) {
	t.Helper()
	all := make(map[string]string)
	for key, value := range settings {
		all[key] = value
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if all[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(all, changes[i])
		}
	}
	sections := make(map[string][]string)
	var text strings.Builder
	for key, value := range all {
		if section, rest, nested := strings.Cut(key, "."); nested {
			if !strings.HasPrefix(value, "[") { // a list
				value = "'" + value + "'"
			}
			sections[section] = append(sections[section], rest+": "+value)
		} else {
			fmt.Fprintf(&text, "%s: %s\n", key, value)
		}
	}
	for section, pairs := range sections {
		fmt.Fprintf(&text, "%s: {%s}\n", section, strings.Join(pairs, ", "))
	}
	put(t, "c.yaml", text.String())
}

func settingKeys(t testing.TB) []string {
	t.Helper()
	var root map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(command(t, "", "config", "print")), &root); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key, value := range root {
		if value.Kind != yaml.MappingNode {
			keys = append(keys, key)
			continue
		}
		for i := 0; i < len(value.Content); i += 2 {
			keys = append(keys, key+"."+value.Content[i].Value)
		}
	}
	return keys
}

// TestReloadOfEachSetting changes one setting at a time: either it is applied, or the log
// names it and no other.
func TestReloadOfEachSetting(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, folder := range []string{".", "other"} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		writeCertificateOf(t, folder, int64(i), rsaKey(t))
	}
	put(t, "other.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	put(t, "columns.yaml", "username: email\n")
	put(t, "callers", callersFile("secret"))
	settled := base(t)
	file(t, settled)
	p := startConfigured(t)
	tests := []struct {
		changes []string
		restart []string
	}{
		{[]string{"listeners", "[{profile: authtokens, address: '127.0.0.1:7'}]", "listen", ""}, []string{"listeners", "listen"}},
		{[]string{"listeners", "[{profile: authtokens, address: '127.0.0.1:7'}, {profile: snippit, address: '127.0.0.1:8'}]", "listen", ""}, []string{"listeners", "listen"}},
		{[]string{"listeners", "[{profile: authtokens, address: '127.0.0.1:0'}]", "listen", ""}, nil},
		{[]string{"listeners", "[{profile: snippit}]"}, nil},
		{[]string{"listen", "127.0.0.1:7"}, []string{"listen"}},
		{[]string{"manage", "127.0.0.1:7"}, []string{"manage"}},
		{[]string{"manage", ""}, []string{"manage"}},
		{[]string{"console.enabled", "on"}, []string{"console.enabled"}},
		{[]string{"console.enabled", "on", "console.write", "on", "console.hosts", "[admin.example.org]"}, []string{"console.enabled", "console.write", "console.hosts"}},
		{[]string{"ask.address", "127.0.0.1:7"}, []string{"ask.address"}},
		{[]string{"ask.address", ""}, []string{"ask.address"}},
		{[]string{"ask.tls", "on"}, []string{"ask.tls"}},
		{[]string{"ask.callers_file", "callers"}, nil},
		{[]string{"store", "sqlite:other.db"}, []string{"store"}},
		{[]string{"map", "columns.yaml", "store", "django+sqlite:other.db"}, []string{"store", "map"}},
		{[]string{"secret_key_file", "other.key"}, []string{"secret_key_file"}},
		{[]string{"password_iterations", "200"}, []string{"password_iterations"}},
		{[]string{"expired_token_retention", "1d"}, nil},
		{[]string{"audit_retention", "1d"}, nil},
		{[]string{"callers.enabled", "off"}, nil},
		{[]string{"callers.retention", "1d"}, nil},
		{[]string{"trusted_proxies", "[10.0.0.0/8]"}, nil},
		{[]string{"log.format", "text"}, []string{"log.format"}},
		{[]string{"log.requests", "none"}, nil},
		{[]string{"login_limits.enabled", "off"}, nil},
		{[]string{"login_limits.per_user", "1/1h"}, nil},
		{[]string{"login_limits.per_address", "1/1h"}, nil},
		{[]string{"login_limits.registrations", "1/1h"}, nil},
		{[]string{"mail.limit_per_user", "1/1h"}, nil},
		{[]string{"mail.limit_per_recipient", "1/1h"}, nil},
		{[]string{"mail.limit_per_address", "1/1h"}, nil},
		{[]string{"limits.connections", "100"}, []string{"limits.connections"}},
		{[]string{"limits.header_bytes", "32768"}, []string{"limits.header_bytes"}},
		{[]string{"limits.header_fields", "200"}, []string{"limits.header_fields"}},
		{[]string{"hashing.concurrency", "2"}, []string{"hashing.concurrency"}},
		{[]string{"hashing.queue", "9"}, []string{"hashing.queue"}},
		{[]string{"tls.cert_file", "other/cert.pem", "tls.key_file", "other/key.pem"}, nil},
		{[]string{"tls.cert_file", "", "tls.key_file", ""}, []string{"tls.cert_file", "tls.key_file"}},
		{[]string{"tls.min_version", "1.0"}, nil},
		{[]string{"tls.legacy_ciphers", "on"}, nil},
		{[]string{"smtp.host", "127.0.0.1", "smtp.from", "a@example.org", "smtp.encryption", "none", "smtp.port", "7"}, []string{"smtp.host", "smtp.port", "smtp.encryption", "smtp.from"}},
		{[]string{"smtp.host", "127.0.0.1", "smtp.from", "a@example.org", "smtp.username", "me", "smtp.password_file", "callers"}, []string{"smtp.host", "smtp.username", "smtp.password_file", "smtp.from"}},
		{[]string{"mail.templates", "other", "mail.site_name", "Shop", "mail.domain", "example.org"}, []string{"mail.templates", "mail.site_name", "mail.domain"}},
		{[]string{"django_secret_key_file", "other.key", "django_time_zone", "Europe/Paris"}, []string{"django_secret_key_file", "django_time_zone"}},
		{[]string{"common_passwords_file", "callers"}, nil},
		{[]string{"link_format", "'2.2'", "link_timeout", "1d"}, []string{"link_format", "link_timeout"}},
		{[]string{"store", "sqlite:other.db", "log.format", "text", "audit_retention", "1d"}, []string{"store", "log.format"}},
		{nil, nil},
	}
	var named []string
	for _, test := range tests {
		file(t, settled, test.changes...)
		if diff := cmp.Diff(test.restart, restarting(t, p.sighup(t, "reloaded"))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.changes, diff)
		}
		for i := 0; i < len(test.changes); i += 2 {
			named = append(named, test.changes[i])
		}
	}
	for _, key := range settingKeys(t) {
		if !slices.Contains(named, key) {
			t.Errorf("%s is not tried", key)
		}
	}
	if _, err := os.Stat("other.db"); err == nil {
		t.Error("another database is made")
	}
	if _, err := os.Stat("other.db.key"); err == nil {
		t.Error("a key for another database is made")
	}
}

// TestReloadTakes checks the effect of settings that are applied while others
// are not.
func TestReloadTakes(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, folder := range []string{".", "other"} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		writeCertificate(t, folder, int64(i))
	}
	settled := base(t)
	file(t, settled)
	p := start(t, "--config", "c.yaml")
	address := strings.TrimPrefix(p.urls["authtokens"], "https://")
	file(t, settled, "store", "sqlite:other.db", "log.requests", "all", "trusted_proxies", "[127.0.0.1]",
		"tls.cert_file", "other/cert.pem", "tls.key_file", "other/key.pem")
	if diff := cmp.Diff([]string{"store"}, restarting(t, p.sighup(t, "reloaded"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); got != 1 {
		t.Errorf("certificate %d", got)
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: from-the-proxy\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the request in the log", func() bool { return strings.Contains(p.log.String(), `"request":"from-the-proxy"`) })
}

// TestReloadOfLimits guesses at names that do not exist. Each round uses new addresses,
// so that earlier guesses do not count.
func TestReloadOfLimits(t *testing.T) {
	t.Chdir(t.TempDir())
	settled := base(t)
	settled["trusted_proxies"] = "[127.0.0.1]"
	delete(settled, "tls.cert_file")
	delete(settled, "tls.key_file")
	file(t, settled)
	p := startConfigured(t)
	guess := func(name, address string) {
		t.Helper()
		p.want(t, 401, "POST", p.urls["authtokens"]+"/api/login/", "", fmt.Sprintf(`{"username": %q, "password": "x"}`, name), "X-Forwarded-For", address)
	}
	for i, test := range []struct {
		changes             []string
		oneName, oneAddress float64 // refused guesses: of two at one name, and of two from one address
	}{
		{nil, 0, 0},
		{[]string{"login_limits.per_user", "1/1h"}, 1, 0},
		{[]string{"login_limits.per_address", "1/1h"}, 0, 1},
		{[]string{"login_limits.per_user", "1/1h", "login_limits.per_address", "1/1h", "login_limits.enabled", "off"}, 0, 0},
		{[]string{"login_limits.per_user", "1/1h", "login_limits.per_address", "1/1h"}, 1, 1},
	} {
		file(t, settled, test.changes...)
		p.sighup(t, "reloaded")
		throttled := func() float64 {
			return p.metric(t, `authcompat_logins_total{outcome="throttled",profile="authtokens"}`)
		}
		before := throttled()
		guess(fmt.Sprintf("name-%d", i), fmt.Sprintf("198.51.100.%d", i))
		guess(fmt.Sprintf("name-%d", i), fmt.Sprintf("198.51.101.%d", i))
		between := throttled()
		guess(fmt.Sprintf("one-%d", i), fmt.Sprintf("198.51.102.%d", i))
		guess(fmt.Sprintf("other-%d", i), fmt.Sprintf("198.51.102.%d", i))
		if oneName, oneAddress := between-before, throttled()-between; oneName != test.oneName || oneAddress != test.oneAddress {
			t.Errorf("%q: %v guesses at one name refused, want %v; %v from one address, want %v", test.changes, oneName, test.oneName, oneAddress, test.oneAddress)
		}
	}
}

// TestReloadSwitchesTLS gives a certificate to a server that runs without one.
func TestReloadSwitchesTLS(t *testing.T) {
	t.Chdir(t.TempDir())
	writeCertificate(t, ".", 1)
	settled := base(t)
	file(t, settled, "tls.cert_file", "", "tls.key_file", "")
	p := start(t, "--config", "c.yaml")
	file(t, settled)
	if diff := cmp.Diff([]string{"tls.cert_file", "tls.key_file"}, restarting(t, p.sighup(t, "reloaded"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.want(t, 404, "GET", p.urls["authtokens"]+"/", "", "")
}

// TestReloadKeepsTheKeys names another database and another key file while a
// server runs: tokens are still sealed with the server's own key.
func TestReloadKeepsTheKeys(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "other.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	settled := base(t)
	settled["listeners"] = "[{profile: snippit}]" // a login shows the live token
	delete(settled, "tls.cert_file")
	delete(settled, "tls.key_file")
	file(t, settled)
	command(t, "secret\n", "user", "create", "alice", "--password-stdin", "--config", "c.yaml")
	p := start(t, "--config", "c.yaml")
	file(t, settled, "store", "sqlite:other.db", "secret_key_file", "other.key")
	p.sighup(t, "reloaded")
	token := tokenIn(t, p.want(t, 200, "POST", p.urls["snippit"]+"/api/auth/login/", "", credentials).body)
	shown := command(t, "", "secret", "show", "--json", "--store", settled["store"])
	if strings.Count(shown, "\n") != 1 || !strings.Contains(shown, `"tokens":1`) {
		t.Errorf("keys: %s", shown)
	}
	file(t, settled)
	again := start(t, "--config", "c.yaml")
	if got := tokenIn(t, again.want(t, 200, "POST", again.urls["snippit"]+"/api/auth/login/", "", credentials).body); got != token {
		t.Errorf("token %s after a start with the old file, want %s", got, token)
	}
}
