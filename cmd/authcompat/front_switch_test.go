package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nameServer is an application that answers its name and the body that it gets.
func nameServer(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", name, r.RequestURI, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestFrontSwitch moves users of two nodes on one Django database from an old application to a
// new one, and back.
func TestFrontSwitch(t *testing.T) {
	folder := t.TempDir()
	path, file := filepath.Join(folder, "django.sqlite3"), filepath.Join(folder, "c.yaml")
	mustMakeKnox(t, "sqlite", path)
	dsn := "django+sqlite:" + path
	old, next := nameServer(t, "old"), nameServer(t, "new")
	settings := func(switches string) {
		put(t, file, fmt.Sprintf("listeners: [{profile: ocd-users, address: '127.0.0.1:0', front: {old: '%s', new: '%s', switch: %s, paths: [{path: /private/, token: needed}]}}]\n", old, next, switches))
	}
	settings("[login, /private/, other]")
	args := []string{"--config", file, "--password-iterations", "100", "--store", dsn, "--log-requests", "all"}
	nodes := []*process{start(t, args...), start(t, args...)}
	tokens := make(map[string]string)
	for _, name := range []string{"Ann", "bob"} {
		body := fmt.Sprintf(`{"username": %q, "password": "correct horse battery"}`, name)
		tokens[name] = tokenIn(t, nodes[0].want(t, http.StatusOK, "POST", nodes[0].urls["ocd-users"]+"/api/register/", "", body).body)
	}
	is := func(p *process, want, method, path, token, body string) bool {
		a, err := p.send(method, p.urls["ocd-users"]+path, token, body)
		return err == nil && strings.HasPrefix(a.body, want)
	}
	both := func(what string, is func(*process) bool) {
		t.Helper()
		for i, p := range nodes {
			eventually(t, fmt.Sprintf("node %d: %s", i, what), func() bool { return is(p) })
		}
	}
	if status := command(t, "", "cutover", "status", "--store", dsn); !strings.Contains(status, "login") || !strings.Contains(status, "/private/") || !strings.Contains(status, "other") || strings.Contains(status, "logout") {
		t.Errorf("status: %s", status)
	}
	login := func(name string) string {
		return fmt.Sprintf("{\"username\":  %q, \"password\": \"correct horse battery\"}", name)
	}
	both("all are old", func(p *process) bool {
		return is(p, "old /api/login/?a=b "+login("ann"), "POST", "/api/login/?a=b", "", login("ann")) && is(p, "old /private/", "GET", "/private/", tokens["Ann"], "")
	})

	command(t, "", "cutover", "set", "all=0%", "--user", "Ann", "--store", dsn)
	both("Ann is new, in any spelling", func(p *process) bool {
		return is(p, `{"expiry"`, "POST", "/api/login/", "", login("aNN")) && is(p, "new /private/", "GET", "/private/", tokens["Ann"], "") && is(p, "new /x", "GET", "/x", tokens["Ann"], "")
	})
	both("bob is old", func(p *process) bool {
		return is(p, "old /api/login/", "POST", "/api/login/", "", login("bob")) && is(p, "old /private/", "GET", "/private/", tokens["bob"], "")
	})

	settings("[logout, other]")
	for _, p := range nodes {
		p.sighup(t, "reloaded")
	}
	both("what is switched is reloaded", func(p *process) bool {
		return is(p, "old /api/logout/", "POST", "/api/logout/", tokens["bob"], "") && is(p, "old /private/", "GET", "/private/", tokens["Ann"], "")
	})
	command(t, "", "cutover", "set", "logout=100%", "other=100%", "--store", dsn)
	both("logout is new", func(p *process) bool {
		return is(p, "new /x", "GET", "/x", "", "") && is(p, `{"detail":"Invalid token."}`, "POST", "/api/logout/", "0123", "")
	})

	command(t, "", "cutover", "rollback", "--store", dsn)
	both("all are old again", func(p *process) bool {
		return is(p, "old /x", "GET", "/x", tokens["Ann"], "") && is(p, "old /api/logout/", "POST", "/api/logout/", "0123", "")
	})
	for i, p := range nodes {
		if p.metric(t, `authcompat_cutover_requests_total{endpoint="logout",profile="ocd-users",side="new"}`) == 0 || p.metric(t, "authcompat_cutover_version") == 0 {
			t.Errorf("node %d counts nothing", i)
		}
		if log := p.log.String(); !strings.Contains(log, `"endpoint":"logout","status":200`) || !strings.Contains(log, `"side":"old"`) || strings.Contains(log, tokens["bob"]) {
			t.Errorf("node %d logs %s", i, log)
		}
	}
	command(t, "", "cutover", "set", "other=100%", "--store", dsn)
	both("other is new", func(p *process) bool { return is(p, "new /x", "GET", "/x", "", "") })
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	both("it is known that the store is away", func(p *process) bool { return strings.Contains(p.log.String(), "the last one holds") })
	both("the last state holds", func(p *process) bool {
		return is(p, "new /x", "GET", "/x", "", "") && is(p, "old /api/logout/", "POST", "/api/logout/", "0123", "")
	})
}

// TestFrontSwitchNeedsSharedTables refuses to switch a login between servers that don't know
// each other's tokens.
func TestFrontSwitchNeedsSharedTables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	put(t, file, "listeners: [{profile: ocd-users, address: '127.0.0.1:0', front: {old: 'http://127.0.0.1:9', switch: [login]}}]\n")
	for _, args := range [][]string{{"serve", "--config", file}, {"config", "check", file}} {
		said := refused(t, "", append(args, "--store", database(t))...)
		if want := ":1:102: listeners.front.switch: login is switched, but a token of one side would be unknown to the other: work on the old application's own tables"; !strings.Contains(said, want) {
			t.Errorf("%v: %s", args, said)
		}
	}
	put(t, file, "listeners: [{profile: ocd-users, address: '127.0.0.1:0', front: {old: 'http://127.0.0.1:9', new: 'http://127.0.0.1:10', switch: [other]}}]\n")
	p := start(t, "--config", file, "--password-iterations", "100", "--store", database(t))
	if n := p.metric(t, "authcompat_cutover_version"); n != 1 {
		t.Errorf("version %v", n)
	}
}
