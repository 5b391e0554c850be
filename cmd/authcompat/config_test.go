package main

import (
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
		{"no YAML", "a: [", []string{" line 1: did not find expected node content"}},
		{"all at once", "stor: x\nlimits: {account: x, foo: 1}\nlog: text\nlisteners: [{profil: x}]\nmanage: [a]\nlisten: a\nlisten: b\n", []string{
			"1:1: stor: unknown key; the keys here are listeners, listen, manage, store, map, secret_key_file, password_iterations, keep_expired, keep_audit, trusted_proxies, log, limits, tls",
			`2:19: limits.account: "x" is no limit: want for instance 10/15m, ten in a quarter of an hour`,
			"2:22: limits.foo: unknown key; the keys here are guessing, account, address, connections, hash_threads, hash_queue",
			"3:6: log: want a map",
			"4:14: listeners.profil: unknown key; a listener has profile and address",
			"4:13: listeners: want a map with profile, and address for several",
			"5:9: manage: want a value",
			"7:1: listen: is there twice, first on line 6",
			`6:9: listen: "a" is no address: want HOST:PORT, for instance 127.0.0.1:8000`,
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

// TestPrecedence is flag before variable before file before default.
func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	text := "store: sqlite:file.db\nkeep_expired: 1d\nlimits: {account: 1/1h, address: 2/1h, hash_threads: 3}\ntrusted_proxies: [10.0.0.0/8]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AUTHCOMPAT_LIMIT_ACCOUNT", "5/1m")
	t.Setenv("AUTHCOMPAT_LIMIT_ADDRESS", "6/1m")
	t.Setenv("AUTHCOMPAT_SECRET_KEY", "canary-key")
	out := command(t, "", "config", "print", "--config", file, "--limit-account", "9/1m", "--profile", "snippit",
		"--store", "postgres://ann:canary@db/auth?password=canary")
	for _, want := range []string{
		"# --profile\nlisteners:\n  - profile: snippit\n", "account: 9/1m # --limit-account\n", "address: 6/1m # AUTHCOMPAT_LIMIT_ADDRESS\n",
		"hash_threads: 3 # " + file + ":3\n", "keep_expired: 1d # " + file + ":2\n", "trusted_proxies: [10.0.0.0/8] # " + file + ":4\n",
		"hash_queue: 0 # default\n", "store: postgres://ann:***@db/auth?password=*** # --store\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "canary") {
		t.Errorf("a secret is shown:\n%s", out)
	}
}

// TestBadDSNIsNotShown looks for a secret in what commands say of a DSN that is a
// little wrong.
func TestBadDSNIsNotShown(t *testing.T) {
	for _, dsn := range []string{
		"host=db password=S3cret dbname=auth", "postgres:ann:S3cret@db/auth", "postgres://ann:Pa@ss/wo-S3cret@db/auth",
		"django+postgres://ann:Pa@ss/wo-S3cret@db/auth", "postgres://ann:S3cret%zz@db/auth", "postgres://ann:12?S3cret@db/auth",
		"mysql://ann:S3cret@db/auth",
	} {
		for _, args := range [][]string{{"serve", "--profile", "snippit"}, {"config", "check", "--profile", "snippit"}, {"user", "list"}} {
			if text := refused(t, "", append(args, "--store", dsn)...); strings.Contains(text, "S3cret") {
				t.Errorf("%s: %s", args, text)
			}
		}
		if text := command(t, "", "config", "print", "--store", dsn); strings.Contains(text, "S3cret") {
			t.Error(text)
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
