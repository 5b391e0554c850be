package main

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "c.yaml")
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"1:1: the file is empty"}},
		{"no YAML", "a: [", []string{"1:1: did not find expected node content"}},
		{"all at once", "stor: x\nlogin_limits: {per_user: x, foo: 1}\nlog: text\nlisteners: [{profil: x}]\nmanage: [a]\nlisten: a\nlisten: b\n", []string{
			"1:1: stor: unknown key; did you mean store?",
			`2:26: login_limits.per_user: "x" is no limit: want for instance 10/15m, ten in a quarter of an hour`,
			"2:29: login_limits.foo: unknown key; the keys here are enabled, per_user, per_address, registrations",
			"3:6: log: want a map",
			"4:14: listeners.profil: unknown key; did you mean profile?",
			"4:13: listeners: want a map with profile, and address for several",
			"5:9: manage: want a value",
			"7:1: listen: is there twice, first on line 6",
			`6:9: listen: "a" is no address: want HOST:PORT, for instance 127.0.0.1:8000; did you mean a:8000?`,
		}},
		{"a list", "[]", []string{"1:1: want a map"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, w := range test.want {
				want = append(want, file+":"+w)
			}
			got := strings.TrimPrefix(refused(t, "", "config", "check", file), "authcompat: ")
			if diff := cmp.Diff(strings.Join(want, "\n")+"\n", got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPrecedence checks that a flag overrides a variable, a variable the file, and the
// file the default.
func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	text := "store: sqlite:file.db\nexpired_token_retention: 1d\nlogin_limits: {per_user: 1/1h, per_address: 2/1h}\nhashing: {concurrency: 3}\ntrusted_proxies: [10.0.0.0/8]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AUTHCOMPAT_LIMIT_PER_USER", "5/1m")
	t.Setenv("AUTHCOMPAT_LIMIT_PER_ADDRESS", "6/1m")
	t.Setenv("AUTHCOMPAT_SECRET_KEY", "canary-key")
	out := command(t, "", "config", "print", "--config", file, "--limit-per-user", "9/1m", "--profile", "snippit",
		"--store", "postgres://ann:canary@db/auth?password=canary")
	for _, want := range []string{
		"# --profile\nlisteners:\n  - profile: snippit\n", "per_user: 9/1m # --limit-per-user\n", "per_address: 6/1m # AUTHCOMPAT_LIMIT_PER_ADDRESS\n",
		"concurrency: 3 # " + file + ":4\n", "expired_token_retention: 1d # " + file + ":2\n", "trusted_proxies: [10.0.0.0/8] # " + file + ":5\n",
		"queue: 0 # default\n", "store: postgres://ann:***@db/auth?password=*** # --store\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "canary") {
		t.Errorf("a secret is shown:\n%s", out)
	}
}

// TestBadDSNIsNotShown checks that no command prints the secret of a DSN that is
// slightly wrong.
func TestBadDSNIsNotShown(t *testing.T) {
	for _, dsn := range []string{
		"host=db password=S3cret dbname=auth", "postgres:ann:S3cret@db/auth", "postgres://ann:Pa@ss/wo-S3cret@db/auth",
		"django+postgres://ann:Pa@ss/wo-S3cret@db/auth", "postgres://ann:S3cret%zz@db/auth", "postgres://ann:12?S3cret@db/auth",
		"mysql://ann:S3cret@db/auth", "ann:S3cret@tcp(db:3306)/auth", "host=db passwd='S3cret' dbname=auth", "django+host=db password=S3cret",
	} {
		for _, args := range [][]string{{"serve", "--profile", "snippit"}, {"config", "check", "--profile", "snippit"}, {"user", "list"}} {
			if text := refused(t, "", append(args, "--store", dsn)...); strings.Contains(text, "S3cret") {
				t.Errorf("%s: %s", args, text)
			}
		}
		target := database(t)
		for _, args := range [][]string{{"inspect", dsn}, {"import", "django", dsn, "--store", target}, {"import", "django", "--store", target, "--dry-run", dsn}, {"export", "django", dsn, "--store", target}} {
			if text := refused(t, "", args...); strings.Contains(text, "S3cret") {
				t.Errorf("%s: %s", args, text)
			}
		}
		if text := command(t, "", "config", "print", "--store", dsn); strings.Contains(text, "S3cret") {
			t.Error(text)
		}
	}
}

// TestLimitsOn accepts common spellings of on and off.
func TestLimitsOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	for word, want := range map[string]string{"on": "on", "true": "on", "off": "off", "false": "off"} {
		put(t, file, "login_limits: {enabled: "+word+"}\n")
		if out := command(t, "", "config", "print", file); !strings.Contains(out, "enabled: "+want+" # "+file) {
			t.Errorf("%s:\n%s", word, out)
		}
	}
}

func TestProfilesNeedTheManagementListener(t *testing.T) {
	args := []string{"config", "check", "--profile", "snippit", "--store", database(t), "--pprof"}
	if got := refused(t, "", args...); got != "authcompat: --pprof: needs the management listener: give --manage too\n" {
		t.Error(got)
	}
	command(t, "", append(args, "--manage", "127.0.0.1:8081")...)
}

// TestKeysAreNotShownAsFileNames gives keys where the names of their files are meant.
func TestConsoleSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "c.yaml", "console: {enabled: perhaps}\n")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--console"}, "--console: needs the management listener: give --manage too"},
		{[]string{"--console-write"}, "--console-write: there is no console that could write: give --console too"},
		{[]string{"--console-host", "admin.example.org"}, "--console-host: there is no console to be asked for: give --console too"},
		{[]string{"--manage", "127.0.0.1:0", "--console", "--console-host", "a.example,a b:80"}, `--console-host: "a b:80": want the name of a host or an IP address, without a port, such as admin.example.org`},
		{[]string{"--manage", "127.0.0.1:0", "--config", "c.yaml"}, "c.yaml:1:20: console.enabled: \"perhaps\": want on or off"},
	} {
		args := append([]string{"config", "check", "--profile", "snippit", "--store", database(t)}, test.args...)
		got := strings.TrimSuffix(strings.TrimPrefix(refused(t, "", args...), "authcompat: "), "\n")
		if got != test.want {
			t.Errorf("%v: %s", test.args, got)
		}
	}
}

func TestKeysAreNotShownAsFileNames(t *testing.T) {
	t.Chdir(t.TempDir())
	dsn := database(t)
	command(t, "", "user", "create", "alice", "--no-password", "--store", dsn)
	key := base64.StdEncoding.EncodeToString(sha256.New().Sum(nil))
	const pem = "-----BEGIN PRIVATE KEY-----\nS3cret\n-----END PRIVATE KEY-----\n"
	serve := []string{"serve", "--profile", "snippit", "--listen", "127.0.0.1:0", "--store", dsn}
	for name, args := range map[string][]string{
		"serve":        append(serve, "--secret-key-file", key),
		"serve, TLS":   append(serve, "--tls-cert", pem, "--tls-key", pem),
		"config check": {"config", "check", "--profile", "snippit", "--secret-key-file", key, "--tls-cert", "cert.pem", "--tls-key", pem},
		"backup":       {"backup", "copy.db", "--store", dsn, "--secret-key-file", key},
		"rotate":       {"secret", "rotate", "--store", dsn, "--secret-key-file", key},
		"show":         {"secret", "show", "--store", dsn, "--secret-key-file", key},
		"audit":        {"audit", "--user", "bob", "--store", dsn, "--secret-key-file", key},
	} {
		if out := refused(t, "", args...); strings.Contains(out, key[:20]) || strings.Contains(out, "S3cret") {
			t.Errorf("%s: %s", name, out)
		}
	}
	out := command(t, "", "config", "print", "--secret-key-file", key, "--tls-cert", pem, "--tls-key", pem)
	if strings.Contains(out, key[:20]) || strings.Contains(out, "S3cret") || !strings.Contains(out, "secret_key_file: '***'") {
		t.Errorf("config print: %s", out)
	}
}
