package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// put writes a file in the working directory.
func put(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const unknownProfile = `profile "nope" is neither built in (authtokens, dj-rest-auth, djoser, drf-authtoken, form-auth, knox, knox-5, knox-auth, ocd-users, snippit) nor a file`

func TestSettingsProblems(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, folder := range []string{".", "other"} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		writeCertificate(t, folder, 1)
	}
	put(t, "bad.key", "S3cret")
	put(t, "bad.db.key", "S3cret")
	put(t, "broken.yaml", "name: [\n")
	put(t, "map.yaml", "id: id\nusrname: name\nusername_case: upper\n")
	put(t, "good.yaml", "id: id\n")
	const one = "listeners: [{profile: snippit}]\n"
	for _, test := range []struct {
		name, text string
		args       []string
		want       []string
	}{
		{"addresses", `listeners:
  - {profile: snippit, address: "127.0.0.1:99999"}
  - {profile: knox-auth, address: 8000}
  - {profile: ocd-users, address: "127.0.0.300:80"}
  - {profile: form-auth, address: ""}
manage: ":99999"
`, nil, []string{
			`c.yaml:5:35: listeners.address: want HOST:PORT, for instance 127.0.0.1:8000`,
			`c.yaml:2:33: listeners.address: "127.0.0.1:99999" is no address: a port is 0 to 65535, not "99999"`,
			`c.yaml:3:35: listeners.address: "8000" is no address: want HOST:PORT, for instance 127.0.0.1:8000; did you mean 127.0.0.1:8000?`,
			`c.yaml:4:35: listeners.address: "127.0.0.300:80" is no address: "127.0.0.300" is neither an IP address nor the name of a host`,
			`c.yaml:6:9: manage: ":99999" is no address: a port is 0 to 65535, not "99999"`,
		}},
		{"no addresses", "listen: nonsense\nmanage: http://a b:1\n" + one, nil, []string{
			`c.yaml:1:9: listen: "nonsense" is no address: want HOST:PORT, for instance 127.0.0.1:8000; did you mean nonsense:8000?`,
			`c.yaml:2:9: manage: "http://a b:1" is no address: want HOST:PORT, for instance 127.0.0.1:8081`,
		}},
		{"one address twice", `listeners:
  - {profile: snippit, address: "127.0.0.1:8001"}
  - {profile: knox-auth, address: "localhost:8001"}
  - {profile: ocd-users, address: "127.0.0.1:0"}
  - {profile: form-auth, address: "127.0.0.1:0"}
manage: 0.0.0.0:8001
`, nil, []string{
			`c.yaml:3:35: listeners.address: localhost:8001 is taken by another listener, 127.0.0.1:8001 (c.yaml:2:33: listeners.address)`,
			`c.yaml:6:9: manage: 0.0.0.0:8001 is taken by another listener, 127.0.0.1:8001 (c.yaml:2:33: listeners.address)`,
		}},
		{"the management's", one + "manage: 127.0.0.1:8000\n", nil, []string{
			`c.yaml:2:9: manage: 127.0.0.1:8000 is taken by another listener, 127.0.0.1:8000 (--listen)`,
		}},
		{"listeners", `listeners:
  - {profile: snippit, address: "127.0.0.1:21120", address: "0.0.0.0:21121"}
  - {profile: nope, profile: snippit, address: "127.0.0.1:1"}
  - {profile: broken.yaml, address: "127.0.0.1:2"}
  - {profile: [], address: "127.0.0.1:3"}
  - {profile: snippit}
`, nil, []string{
			"c.yaml:2:52: listeners.address: is there twice, first on line 2",
			"c.yaml:3:21: listeners.profile: is there twice, first on line 3",
			"c.yaml:5:5: listeners: want a map with profile, and address for several",
			"c.yaml:3:15: listeners.profile: " + unknownProfile,
			"broken.yaml:2:1: did not find expected node content",
			"c.yaml:6:15: listeners.profile: snippit: several profiles need an address each: --profile snippit@127.0.0.1:8001",
			"c.yaml:6:15: listeners.profile: profile snippit is given twice: for another address, give a copy of it with another name",
		}},
		{"values", one + `password_iterations: 0
trusted_proxies: [10.0.0.0/8, 10.0.0.0/33, proxy]
limits: {connections: -1, header_bytes: 4096, header_fields: 1001}
hashing: {concurrency: abc, queue: 99999999999999999999}
login_limits: {per_user: 1}
store: "sqlite:"
audit_retention: long
`, nil, []string{
			`c.yaml:5:24: hashing.concurrency: "abc": want a whole number`,
			`c.yaml:5:36: hashing.queue: "99999999999999999999" is too large`,
			`c.yaml:6:26: login_limits.per_user: "1" is no limit: want for instance 10/15m, ten in a quarter of an hour`,
			`c.yaml:8:18: audit_retention: "long" is no duration: want for instance 90d, 12h or 15m, at most 36500d`,
			`c.yaml:2:22: password_iterations: 0: want 1 to 10000000`,
			`c.yaml:4:23: limits.connections: -1: want 0 to 10000000`,
			`c.yaml:4:41: limits.header_bytes: 4096: want 8192 to 262144`,
			`c.yaml:4:62: limits.header_fields: 1001: want 20 to 1000`,
			`c.yaml:3:31: trusted_proxies: "10.0.0.0/33": want a network such as 10.0.0.0/8, or an address`,
			`c.yaml:3:44: trusted_proxies: "proxy": want a network such as 10.0.0.0/8, or an address`,
			`c.yaml:7:8: store: the path is missing: a store is given as sqlite:PATH, for instance sqlite:authcompat.db, or as postgres://USER:PASSWORD@HOST/DATABASE`,
		}},
		{"no key file", one + "secret_key_file: no.key\n", nil, []string{"c.yaml:2:18: secret_key_file: the file of the sealing keys is missing: open no.key: no such file or directory"}},
		{"a bad key file", one + "secret_key_file: bad.key\n", nil, []string{"c.yaml:2:18: secret_key_file: bad.key: sealing key 1 has 4 bytes: want 32 bytes in base64"}},
		{"a bad key beside", one + "store: sqlite:bad.db\n", nil, []string{"c.yaml:2:8: store: bad.db.key: sealing key 1 has 4 bytes: want 32 bytes in base64"}},
		{"no key of a certificate", one + "tls: {cert_file: cert.pem}\n", nil, []string{"c.yaml:2:18: tls.cert_file: needs the certificate's key (--tls-key, tls.key_file) too"}},
		{"no certificate", one + "tls: {key_file: key.pem}\n", nil, []string{"c.yaml:2:17: tls.key_file: needs the certificate (--tls-cert, tls.cert_file) too"}},
		{"no files", one + "tls: {cert_file: no.pem, key_file: none.pem}\n", nil, []string{
			"c.yaml:2:18: tls.cert_file: open no.pem: no such file or directory",
			"c.yaml:2:36: tls.key_file: open none.pem: no such file or directory",
		}},
		{"another's key", one + "tls: {cert_file: cert.pem, key_file: other/key.pem}\n", nil, []string{
			"c.yaml:2:18: tls.cert_file: cert.pem with other/key.pem: tls: private key does not match public key",
		}},
		{"two addresses", "listen: 127.0.0.1:1\nlisteners: [{profile: snippit, address: '127.0.0.1:2'}]\n", nil, []string{
			"c.yaml:1:9: listen: is for a profile without @ADDRESS: give one or the other",
		}},
		{"nothing after @", "listeners: [{profile: snippit@}]\n", nil, []string{
			"c.yaml:1:23: listeners.profile: snippit@ wants an address after @, for instance snippit@127.0.0.1:8000",
		}},
		{"a second document", one + "---\na: b\n", nil, []string{"c.yaml:2:1: a second document begins here"}},
		{"a second document that breaks off", one + "---\n[\n", nil, []string{"c.yaml:4:1: did not find expected node content"}},
		{"no mapping", one + "map: nonexist.yaml\nstore: django+sqlite:django.db\n", nil, []string{"c.yaml:2:6: map: open nonexist.yaml: no such file or directory"}},
		{"a mapping with mistakes", one + "map: map.yaml\nstore: django+sqlite:django.db\n", nil, []string{
			"map.yaml:2:1: usrname: unknown key; did you mean username?",
			`map.yaml:3:16: username_case: "upper" is neither keep nor lower`,
		}},
		{"a mapping of another store", one + "map: good.yaml\n", nil, []string{
			"c.yaml:2:6: map: a mapping (--map) is for a Django database that is worked on, --store django+sqlite:PATH or django+postgres://…, or that is imported",
		}},
		{"a file that is no mapping", one, []string{"--map", "bad.key", "--store", "django+sqlite:django.db"}, []string{"bad.key:1:1: want a map"}},
		{"no API", "manage: 127.0.0.1:1\n", nil, []string{
			"--profile: which API? Give --profile NAME or FILE; built in are authtokens, dj-rest-auth, djoser, drf-authtoken, form-auth, knox, knox-5, knox-auth, ocd-users, snippit",
		}},
		{"flags", one, []string{"--profile", "snippit@8000", "--store", "x.db", "--hash-concurrency", "-1"}, []string{
			`--hash-concurrency: -1: want 0 to 1024`,
			`--store: unknown kind of store (did you mean sqlite:x.db?): a store is given as sqlite:PATH, for instance sqlite:authcompat.db, or as postgres://USER:PASSWORD@HOST/DATABASE`,
			`--profile: "8000" is no address: want HOST:PORT, for instance 127.0.0.1:8000; did you mean 127.0.0.1:8000?`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			put(t, "c.yaml", test.text)
			args := append(test.args, "--config", "c.yaml")
			want := strings.Join(test.want, "\n") + "\n"
			for _, cmd := range [][]string{{"config", "check"}, {"serve"}} {
				got := strings.TrimPrefix(refused(t, "", append(cmd, args...)...), "authcompat: ")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%v (-want +got):\n%s", cmd, diff)
				}
			}
		})
	}
	if left, err := filepath.Glob("*.db*"); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestSettingsOfSources checks that errors name the variable or flag, and explain
// invalid numbers in plain words.
func TestSettingsOfSources(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{"a number", nil, []string{"serve", "--hash-queue", "abc"}, `--hash-queue: "abc": want a whole number`},
		{"a large one", nil, []string{"audit", "--limit", "99999999999999999999"}, `--limit: "99999999999999999999" is too large`},
		{"a truth", nil, []string{"serve", "--pprof=perhaps"}, `--pprof: want true or false`},
		{"a word", nil, []string{"serve", "--limits", "perhaps"}, `--limits: "perhaps": want on or off`},
		{"variables", map[string]string{
			"AUTHCOMPAT_HASH_CONCURRENCY": "x", "AUTHCOMPAT_MANAGE": "8081", "AUTHCOMPAT_PROFILE": "snippit@127.0.0.1:1,nope@127.0.0.1:2",
			"AUTHCOMPAT_TRUSTED_PROXY": "127.0.0.1,y", "AUTHCOMPAT_SECRET_KEY": "S3cret",
		}, []string{"config", "check"}, `AUTHCOMPAT_HASH_CONCURRENCY: "x": want a whole number
AUTHCOMPAT_TRUSTED_PROXY: "y": want a network such as 10.0.0.0/8, or an address
AUTHCOMPAT_SECRET_KEY: sealing key 1 has 4 bytes: want 32 bytes in base64
AUTHCOMPAT_MANAGE: "8081" is no address: want HOST:PORT, for instance 127.0.0.1:8081; did you mean 127.0.0.1:8081?
AUTHCOMPAT_PROFILE: ` + unknownProfile},
		{"a variable of another command", map[string]string{"AUTHCOMPAT_PASSWORD_ITERATIONS": "many"}, []string{"user", "list"},
			`AUTHCOMPAT_PASSWORD_ITERATIONS: "many": want a whole number`},
		{"a bad address leaves nothing", nil, []string{"serve", "--profile", "snippit", "--listen", "127.0.0.1:99999"},
			`--listen: "127.0.0.1:99999" is no address: a port is 0 to 65535, not "99999"`},
		{"nothing after @", nil, []string{"serve", "--profile", "snippit@"}, "--profile: snippit@ wants an address after @, for instance snippit@127.0.0.1:8000"},
		{"nothing after @ in a variable", map[string]string{"AUTHCOMPAT_PROFILE": "snippit@"}, []string{"serve"},
			"AUTHCOMPAT_PROFILE: snippit@ wants an address after @, for instance snippit@127.0.0.1:8000"},
		{"a list in a flag", nil, []string{"serve", "--profile", "snippit@127.0.0.1:1,ocd-users@127.0.0.1:2"},
			`--profile: "snippit@127.0.0.1:1,ocd-users@127.0.0.1:2" is no profile: one --profile for each profile (a comma belongs to the name)`},
		{"a list of nothing", map[string]string{"AUTHCOMPAT_PROFILE": ","}, []string{"serve"},
			"--profile: which API? Give --profile NAME or FILE; built in are authtokens, dj-rest-auth, djoser, drf-authtoken, form-auth, knox, knox-5, knox-auth, ocd-users, snippit"},
		{"no file of a flag", nil, []string{"serve", "--config", "nothere.yaml"}, "--config: nothere.yaml: there is no such file (authcompat config print > FILE starts one)"},
		{"no file of a variable", map[string]string{"AUTHCOMPAT_CONFIG": "nothere.yaml"}, []string{"user", "list"},
			"AUTHCOMPAT_CONFIG: nothere.yaml: there is no such file (authcompat config print > FILE starts one)"},
		{"both", nil, []string{"serve", "--profile", "snippit@127.0.0.1:1", "--listen", "127.0.0.1:2"}, "--listen: is for a profile without @ADDRESS: give one or the other"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			if diff := cmp.Diff("authcompat: "+test.want+"\n", refused(t, "", test.args...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestProfileNames accepts any file name, as a flag and as a key.
func TestProfileNames(t *testing.T) {
	source, err := os.ReadFile("../../profiles/snippit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"a,b.yaml", "a@b.yaml", "snippit@x"} {
		put(t, name, string(source))
		put(t, "c.yaml", "listeners: [{profile: '"+name+"', address: '127.0.0.1:7001'}]\n")
		const want = "profile snippit at 127.0.0.1:7001\nthe settings are good\n"
		for _, args := range [][]string{{"c.yaml"}, {"--profile", name + "@127.0.0.1:7001"}, {"--profile", name, "--listen", "127.0.0.1:7001"}} {
			if got := command(t, "", append([]string{"config", "check"}, args...)...); got != want {
				t.Errorf("%v: %s", args, got)
			}
		}
	}
}

func TestProfileList(t *testing.T) {
	t.Chdir(t.TempDir())
	list := command(t, "", "profile", "list")
	row := regexp.MustCompile(`\nknox-5 +drf +drf-3\.14 +django-rest-knox 5\.0 +/api/auth/login/ /api/auth/logout/ /api/auth/logoutall/\n`)
	djoser := regexp.MustCompile(`\ndjoser +drf +drf-3\.14 +djoser 2\.1 +/auth/token/login/ /auth/token/logout/ /auth/users/ /auth/users/me/ (/[a-z_/{}]+ ){8}/auth/users/{id}/\n`)
	if !strings.HasPrefix(list, "NAME ") || !row.MatchString(list) || !djoser.MatchString(list) || !strings.Contains(list, "\nSTACKS: drf-2.4, ") {
		t.Errorf("%s", list)
	}
	if got, want := command(t, "", "config", "check", "--profile", "djoser@127.0.0.1:7001"), "profile djoser at 127.0.0.1:7001\nthe settings are good\n"; got != want {
		t.Errorf("%s", got)
	}
	if got := command(t, "", "profile", "show", "djoser"); !strings.HasPrefix(got, "# effective profile: djoser\n") {
		t.Errorf("%s", got)
	}
}

// TestProfilesOfAVariable reads a comma-separated list; an empty one leaves the file's profiles.
func TestProfilesOfAVariable(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "c.yaml", "listeners: [{profile: knox-auth, address: '127.0.0.1:3'}]\n")
	for value, want := range map[string]string{
		"snippit@127.0.0.1:1,ocd-users@127.0.0.1:2": "profile snippit at 127.0.0.1:1\nprofile ocd-users at 127.0.0.1:2\n",
		",snippit@127.0.0.1:1,,":                    "profile snippit at 127.0.0.1:1\n",
		"":                                          "profile knox-auth at 127.0.0.1:3\n",
	} {
		t.Setenv("AUTHCOMPAT_PROFILE", value)
		if got := command(t, "", "config", "check", "c.yaml"); got != want+"the settings are good\n" {
			t.Errorf("%q: %s", value, got)
		}
	}
}

// TestConfigOfOtherCommands gives a server's configuration file to other commands.
func TestConfigOfOtherCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "c.yaml", "store: sqlite:users.db\nlisteners: [{profile: snippit, address: '127.0.0.1:7001'}]\n")
	command(t, "", "user", "create", "alice", "--no-password", "--config", "c.yaml")
	if got := command(t, "", "user", "list", "--json", "--config", "c.yaml"); !strings.Contains(got, `"username":"alice"`) {
		t.Error(got)
	}
}
