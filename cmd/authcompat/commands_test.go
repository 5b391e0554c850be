package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store"
)

// TestAuditOnDjangosTables lists and purges the audit record, which is kept beside Django's tables.
func TestAuditOnDjangosTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	mustMakeDjango(t, path)
	dsn := "django+sqlite:" + path
	do := func(args ...string) string { return command(t, "", append(args, "--store", dsn)...) }
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(base64.StdEncoding.EncodeToString(make([]byte, sealing.KeySize))), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, append(cheap, "--profile", "authtokens", "--store", dsn, "--secret-key-file", keys)...)
	p.want(t, 401, "POST", p.urls["authtokens"]+"/api/login/", "", wrong)
	if got := do("audit", "--json", "--user", "alice", "--secret-key-file", keys); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"outcome":"invalid_credentials"`) {
		t.Errorf("record:\n%s", got)
	}
	// The name is nobody's: without the servers' key, its digest can't be found.
	if got := do("audit", "--json", "--user", "alice"); got != "" {
		t.Errorf("record without a key:\n%s", got)
	}
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	old := core.AuditEntry{At: time.Now().Add(-2 * day), Action: core.ActionLogin, Outcome: core.OK}
	if err := errors.Join(s.Auditor.Record(t.Context(), old), s.Close()); err != nil {
		t.Fatal(err)
	}
	hasty := []string{"audit", "purge", "--store", dsn, "--audit-retention", "12m"} // months are meant
	if got := refused(t, "", hasty...); !strings.Contains(got, "would remove nearly all entries") {
		t.Errorf("a retention in minutes: %s", got)
	}
	if got := do("audit", "purge", "--audit-retention", "1d"); got != "purged 1 entry\n" {
		t.Errorf("the old: %s", got)
	}
	if got := do("audit", "--json"); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"act":"purge-audit"`) {
		t.Errorf("left:\n%s", got)
	}
	if got := command(t, "", append(hasty, "--force")...); got != "purged 0 entries\n" {
		t.Errorf("confirmed: %s", got)
	}
	// The others that work are those of the warning at the start, and the error names them.
	const working = "user create, limits clear, audit, audit purge and cutover work"
	logs(t, p, "only "+working)
	if got := do("limits", "clear", "--address", "127.0.0.1"); got != "cleared: it is counted from zero again\n" {
		t.Errorf("limits clear: %s", got)
	}
	if got := do("user", "create", "carol", "--no-password"); !strings.HasPrefix(got, "created user carol") {
		t.Errorf("user create: %s", got)
	}
	for _, args := range [][]string{{"user", "list"}, {"user", "show", "carol"}, {"user", "disable", "carol"}, {"token", "list"}, {"secret", "show"}} {
		if got := refused(t, "", append(args, "--store", dsn)...); got != "authcompat: on Django's own tables only "+working+": for the rest use Django's own admin\n" {
			t.Errorf("%v: %s", args, got)
		}
	}
}

// TestNamesOnATerminal checks that users' names can't control the terminal.
func TestNamesOnATerminal(t *testing.T) {
	dsn := database(t)
	const name = "evil\n2026-01-01 00:00:00Z  login  ok  admin\x1b[2J\u202e"
	const shown = `evil\n2026-01-01 00:00:00Z  login  ok  admin\x1b[2J\u202e`
	create := command(t, "", "user", "create", name, "--no-password", "--attribute", "k\t=v\u009b", "--store", dsn)
	if want := "created user " + shown + " (id 1)\n"; create != want {
		t.Errorf("create: %q", create)
	}
	list := command(t, "", "user", "list", "--store", dsn)
	show := command(t, "", "user", "show", name, "--store", dsn)
	audit := command(t, "", "audit", "--store", dsn)
	for what, text := range map[string]string{"list": list, "show": show, "audit": audit} {
		if !strings.Contains(text, shown) || strings.ContainsAny(text, "\x1b\u202e\t\u009b") {
			t.Errorf("%s: %q", what, text)
		}
	}
	if strings.Count(list, "\n") != 2 || strings.Count(audit, "\n") != 2 {
		t.Errorf("lines of their own:\n%s%s", list, audit)
	}
	var user struct{ Username string }
	if err := json.Unmarshal([]byte(command(t, "", "user", "list", "--json", "--store", dsn)), &user); err != nil || user.Username != name {
		t.Errorf("%+v %v", user, err)
	}
}

func TestPasswordsFromInput(t *testing.T) {
	dsn := database(t)
	long := strings.Repeat("a", 1<<20)
	for input, want := range map[string]string{
		"":            "no password on standard input",
		"\n":          "the password is empty: --no-password is for users whom no password lets in",
		"\r\n":        "the password is empty: --no-password is for users whom no password lets in",
		"a\x00b\n":    "the password holds a NUL, which no client can send",
		"a\xffb\n":    "the password is not valid UTF-8, which no client can send",
		long + "\n":   "the first line of standard input is longer than 1 MiB: that is no password",
		long + "aaaa": "the first line of standard input is longer than 1 MiB: that is no password",
	} {
		if got := refused(t, input, "user", "create", "alice", "--password-stdin", "--store", dsn); got != "authcompat: "+want+"\n" {
			t.Errorf("%.20q: %s", input, got)
		}
	}
	if got := refused(t, "", "user", "create", "alice", "--no-password", "--attribute", "x=\xff", "--store", dsn); got != `authcompat: --attribute "x=\xff": not valid UTF-8`+"\n" {
		t.Errorf("attribute: %s", got)
	}
	command(t, long[1:]+"\nsecond line", "user", "create", "alice", "--password-stdin", "--password-iterations", "1", "--store", dsn)
	refused(t, "\n", "user", "set-password", "alice", "--password-stdin", "--store", dsn)
}

// TestLongestName creates a user whose name is an address of the maximum length.
func TestLongestName(t *testing.T) {
	dsn := database(t)
	longest := strings.Repeat("é", 242) + "@example.com"
	if got := command(t, "", "user", "create", longest, "--no-password", "--store", dsn); got != "created user "+longest+" (id 1)\n" {
		t.Errorf("254 characters: %s", got)
	}
	want := "authcompat: not a username or address that can be stored: 1 to 254 characters of text without NUL, an address of at most 254\n"
	if got := refused(t, "", "user", "create", "x"+longest, "--no-password", "--store", dsn); got != want {
		t.Errorf("255 characters: %s", got)
	}
}

// TestRevokeAllOrNone checks that one unknown id keeps the others from being revoked.
func TestRevokeAllOrNone(t *testing.T) {
	dsn := database(t)
	var ids []string
	for _, token := range sealSome(t, dsn, 2) {
		ids = append(ids, core.TokenID(core.Presented(token).SHA256()))
	}
	revoke := func(ids ...string) []string { return append([]string{"token", "revoke", "--store", dsn}, ids...) }
	want := "authcompat: \"x\" is no id of a token: want at least 8 hex digits, as token list shows them\nthere is no token 0123456789\nno token is revoked\n"
	if diff := cmp.Diff(want, refused(t, "", revoke(ids[0], "x", ids[1], "0123456789")...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := command(t, "", revoke(ids[0], ids[1], ids[0])...); got != "revoked 2 tokens\n" {
		t.Errorf("%s", got)
	}
}

// mustDeclare declares endpoints as a server does.
func mustDeclare(t *testing.T, dsn string, endpoints ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	engine := core.New(core.Config{Backend: s.Backend})
	if err := errors.Join(engine.DeclareEndpoints(t.Context(), endpoints...), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestCutoverOnDjangosTables sets and takes back a cutover in attach mode, where it matters most.
func TestCutoverOnDjangosTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	mustMakeDjango(t, path)
	dsn := "django+sqlite:" + path
	do := func(args ...string) string { return command(t, "", append(args, "--store", dsn)...) }
	if got := do("cutover", "rollback"); got != "everybody is on the old side: nothing was ever set\n" {
		t.Errorf("rollback of nothing: %s", got)
	}
	mustDeclare(t, dsn, "login")
	if got := do("cutover", "set", "login=10%"); got != "login 0% → 10%\nversion 2; servers follow within a second\n" {
		t.Errorf("set: %s", got)
	}
	if got := do("cutover", "rollback"); !strings.HasPrefix(got, "login 10% → 0%\neverybody is sent to the old side") {
		t.Errorf("rollback: %s", got)
	}
	if got := do("cutover", "status"); !strings.Contains(got, "login     0%     0      0\nversion 3, changed 20") {
		t.Errorf("status: %s", got)
	}
	if got := do("audit", "--json", "--action", "cutover"); !strings.Contains(got, `"detail":"login=10%"`) {
		t.Errorf("audit: %s", got)
	}
}
