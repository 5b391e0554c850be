package frontconfig_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/configtest"
)

// TestIdentityProblems names what is wrong with a section identity, with its position.
func TestIdentityProblems(t *testing.T) {
	folder := t.TempDir()
	short := filepath.Join(folder, "short")
	if err := os.WriteFile(short, []byte("AAAA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const begin = "listeners:\n- profile: ocd-users\n  address: 127.0.0.1:18000\n  front:\n    old: http://x\n    identity: "
	for text, want := range map[string]string{
		"yes":                       "6:15: listeners.front.identity: want a map with key_file or authorization, or {}",
		"{key: x}":                  "6:16: listeners.front.identity.key: unknown key; the keys here are key_file, authorization",
		"{authorization: hide}":     `6:31: listeners.front.identity.authorization: "hide": want keep or drop`,
		"{key_file: }":              "6:16: listeners.front.identity.key_file: want a value",
		"{key_file: /nowhere/k}":    "6:26: listeners.front.identity.key_file: open /nowhere/k: no such file or directory",
		"{key_file: " + short + "}": "6:26: listeners.front.identity.key_file: " + short + ": identity key 1 is not 32 bytes in base64 (openssl rand -base64 32)",
	} {
		_, _, err := configtest.Resolve(t, begin+text+"\n")
		if err == nil {
			err = fmt.Errorf("nothing")
		}
		if d := cmp.Diff(want, err.Error()); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	_, _, err := configtest.Resolve(t, begin+"{}\n", "--store", "postgres://127.0.0.1/x")
	const want = "6:15: listeners.front.identity: no file is named, and beside this store there can be none: make one (openssl rand -base64 32, mode 0600), and name it with key_file"
	if err == nil || err.Error() != want {
		t.Errorf("on PostgreSQL: %v, want %s", err, want)
	}
}

// TestIdentityKeyIsMasked prints no key that is given in the place of a file's name.
func TestIdentityKeyIsMasked(t *testing.T) {
	const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	f, _, err := configtest.Resolve(t, "listeners: [{profile: ocd-users, address: \"127.0.0.1:18000\", front: {old: http://x, identity: {key_file: \""+key+"\"}}}]\n")
	if err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("%v", err)
	}
	var out strings.Builder
	if err := f.WriteYAML(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), key) || !strings.Contains(out.String(), "identity: {key_file: '***'}") {
		t.Errorf("printed: %s", out.String())
	}
}
