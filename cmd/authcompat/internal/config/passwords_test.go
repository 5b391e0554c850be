package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
)

// TestCommonPasswords reads the list that profiles with the validator common need.
func TestCommonPasswords(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Clean(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("list", "password\n123456\n")
	write("empty", "")
	write("p.yaml", `name: p
family: drf
stack: drf-3.14
tokens: {hex: 40, ttl: never, per_user: one}
passwords: {validators: [common]}
endpoints: {login: {path: /login/, fields: {username: {}, password: {}}, reply: {status: 200, body: $token.key}}}
`)
	for text, want := range map[string]string{
		"common_passwords_file: list":  "",
		"common_passwords_file: empty": "2:24: common_passwords_file: empty: the list of common passwords is empty",
		"common_passwords_file: none":  "2:24: common_passwords_file: stat none: no such file or directory",
		"common_passwords_file: .":     "2:24: common_passwords_file: . is no file",
		"link_timeout: 1d":             "--common-passwords-file: profile p: its passwords.validators has common: that needs a list of common passwords, a file that the configuration names (common_passwords_file)",
	} {
		got := ""
		settings, _, err := configtest.Resolve(t, "listeners: [{profile: p.yaml, address: '127.0.0.1:18000'}]\n"+text+"\n")
		if err != nil {
			got = err.Error()
		} else if _, refused := settings.CommonPasswords.List["password"]; !refused {
			t.Error("password is not in the list")
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}
