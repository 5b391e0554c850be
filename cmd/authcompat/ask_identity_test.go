package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/identity"
)

// TestAskIdentity tells proxies whose token it is, with a key that is made beside the database,
// takes other keys and the setting itself over at SIGHUP, and warns of a file that all may read.
func TestAskIdentity(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, db, named := filepath.Join(folder, "c.yaml"), filepath.Join(folder, "auth.db"), filepath.Join(folder, "named")
	at := freeAddress(t)
	settings := func(ask string) {
		t.Helper()
		put(t, file, "ask: {address: '"+at+"'"+ask+"}\nlisteners: [{profile: ocd-users, address: 127.0.0.1:0}]\n")
	}
	settings("")
	p := start(t, "--config", file, "--password-iterations", "100", "--log-requests", "all", "--store", "sqlite:"+db)
	token := p.register(t, "ann")
	told := func(path, token string) string {
		t.Helper()
		a, err := p.send(http.MethodGet, "http://"+at+"/ocd-users/"+path, token, "")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(a.header[identity.Header], ",")
	}
	hangup := func(want string) {
		t.Helper()
		before := strings.Count(p.log.String(), want)
		if err := p.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the log says: "+want, func() bool { return strings.Count(p.log.String(), want) > before })
	}
	signedWith := func(keys string) bool {
		got, err := identity.Verify(mustIdentityKeys(t, keys), told("forward", token), time.Now())
		return err == nil && got.Name == "ann" && got.UserID == 1 && len(got.TokenID) == 16
	}
	if got := told("forward", token); got != "" {
		t.Errorf("without the setting: %q", got)
	}

	settings(", identity: {}")
	hangup("reloaded settings")
	made := db + ".identity-key"
	info, err := os.Stat(made)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	text, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.log.String(), "made a key that signs identities") || !signedWith(string(text)) {
		t.Errorf("the key that was made doesn't sign: %s", p.log.String())
	}
	for path, want := range map[string]bool{"request": true, "envoy/api/x": true, "denied": false, "denied?status=400": false, "introspect": false} {
		if got := told(path, token); (got != "") != want {
			t.Errorf("%s: %q", path, got)
		}
		if got := told(path, "0123456789012345678901234567890123456789"); got != "" {
			t.Errorf("%s, a bad token: %q", path, got)
		}
	}

	put(t, named, identityKeyA+"\n"+identityKeyB+"\n")
	settings(", identity: {key_file: " + named + "}")
	hangup("reloaded settings")
	if !signedWith(identityKeyA) {
		t.Error("the first key of the file doesn't sign")
	}
	put(t, named, "no key\n")
	hangup("identity key 1 is not 32 bytes")
	if !signedWith(identityKeyA) {
		t.Error("the keys in memory are lost")
	}
	settings("")
	hangup("reloaded settings")
	if got := told("forward", token); got != "" {
		t.Errorf("without the setting again: %q", got)
	}
	if log := p.log.String(); strings.Contains(log, "v1;id") || strings.Contains(log, string(text[:20])) || strings.Contains(log, token) {
		t.Errorf("logged: %s", log)
	}
	p.end(t)
	put(t, named, identityKeyA+"\n")
	if err := os.Chmod(named, 0o644); err != nil {
		t.Fatal(err)
	}
	p = start(t, "--config", file, "--ask-identity", named, "--store", "sqlite:"+db)
	eventually(t, "the log warns of a file that all may read", func() bool {
		return strings.Contains(p.log.String(), "others may read the file of the identity keys")
	})
}

// TestSnippetFromSettings prints by a server's settings what it prints by flags.
func TestSnippetFromSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	put(t, file, "ask: {address: 127.0.0.1:18082, identity: {}}\nlisteners: [{profile: snippit, address: 127.0.0.1:18000}]\n")
	snippet := func(flags ...string) string {
		return command(t, "", append([]string{"front", "snippet", "caddy", "--profile", "snippit"}, flags...)...)
	}
	with, without := snippet("--identity", "--ask", "127.0.0.1:18082"), snippet("--ask", "127.0.0.1:18082")
	if with == without || !strings.Contains(with, "127.0.0.1:18082") {
		t.Errorf("--identity changes nothing: %s", with)
	}
	if got := snippet("--config", file); got != with {
		t.Errorf("by the settings: %s", got)
	}
	put(t, file, "ask: {address: 127.0.0.1:18082}\n")
	if got := snippet("--config", file); got != without {
		t.Errorf("without the setting: %s", got)
	}
	t.Setenv("AUTHCOMPAT_ASK_IDENTITY", "on")
	if got := snippet("--config", file); got != with {
		t.Errorf("by the variable: %s", got)
	}
}
