package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/authcompat/authcompat/profiles"
)

// canaries makes secrets that resemble no other text, and looks for them.
type canaries struct{ all []string }

func (c *canaries) secret() string {
	s := fmt.Sprintf("canary%dx%x", len(c.all), 0x9e3779b97f4a7c15*uint64(len(c.all)+1))
	c.all = append(c.all, s)
	return s
}

// find fails for each secret that a text contains, plain or in base64.
func (c *canaries) find(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, s := range c.all {
		for _, form := range []string{s, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "=")[:12]} {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("%s shows %q", where, s)
			}
		}
	}
}

// TestCanaries sends secrets through every endpoint of every profile, in valid and
// malformed requests and while the store fails, and looks for them wherever a server
// writes.
func TestCanaries(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("of links that nobody follows\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Mails are asked for, and wait: nobody takes them at the discard port.
	args := []string{
		"--store", dsn, "--password-iterations", "1", "--log-requests", "all", "--limits", "off",
		"--smtp-host", "127.0.0.1", "--smtp-port", "9", "--smtp-encryption", "none", "--smtp-from", "a@example.org", "--mail-domain", "example.org", "--django-secret-key-file", key,
	}
	var all []*profiles.Profile
	for _, name := range profiles.Builtin() {
		p, err := profiles.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
		args = append(args, "--profile", name+"@127.0.0.1:0")
	}
	c := &canaries{}
	password := c.secret()
	command(t, password+"\n", "user", "create", "alice", "--password-stdin", "--store", dsn, "--password-iterations", "1")
	s := start(t, args...)
	for _, p := range all {
		c.visit(t, s, p, password)
	}
	unlock := lockFile(t, dsn)
	var waiting sync.WaitGroup
	for _, p := range all {
		waiting.Go(func() {
			for _, e := range p.Endpoints {
				if e.Action == profiles.Login {
					text, contentType := body(p, e, func(r profiles.Role) string {
						switch r {
						case profiles.RoleUsername:
							return "alice"
						case profiles.RoleEmail:
							return "someone@example.com"
						}
						return password
					})
					if basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+password)); len(e.Fields) == 0 {
						s.want(t, 503, "POST", s.urls[p.Name]+e.Path, "", "", "Authorization", basic)
						continue
					}
					s.want(t, 503, "POST", s.urls[p.Name]+e.Path, "", text, "Content-Type", contentType)
				}
			}
		})
	}
	waiting.Wait()
	unlock()
	c.find(t, "/metrics", []byte(s.want(t, 200, "GET", s.manage+"/metrics", "", "").body))
	stop(t, s) // which writes who called
	log := s.log.String()
	c.find(t, "the log", []byte(log))
	start(t, args...)
	for _, args := range [][]string{{"callers", "--by", "all"}, {"callers", "--by", "all", "--json"}, {"audit", "--limit", "0"}, {"audit", "--limit", "0", "--json"}, {"token", "list"}, {"user", "show", "alice"}, {"user", "list"}} {
		c.find(t, args[0], []byte(command(t, "", append(args, "--store", dsn)...)))
	}
	files, err := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		c.find(t, filepath.Base(file), []byte(slurp(t, file)))
	}
	if !strings.Contains(log, `"outcome":"unavailable"`) {
		t.Error("the store never failed")
	}
	t.Logf("%d secrets", len(c.all))
}

func slurp(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// lockFile prevents all other writes to a database.
func lockFile(t *testing.T, dsn string) (unlock func()) {
	t.Helper()
	db, err := sqlx.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := db.Exec("ROLLBACK"); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// body makes an endpoint's body, with a value for each role.
func body(p *profiles.Profile, e profiles.Endpoint, value func(profiles.Role) string) (text, contentType string) {
	form := url.Values{}
	var pairs []string
	for _, f := range e.Fields {
		if f.Role.ReadOnly() {
			continue
		}
		form.Set(f.Name, value(f.Role))
		pairs = append(pairs, fmt.Sprintf("%q: %q", f.Name, value(f.Role)))
	}
	if p.Family == profiles.FormJSON {
		return form.Encode(), "application/x-www-form-urlencoded"
	}
	return "{" + strings.Join(pairs, ", ") + "}", "application/json"
}

// visit sends valid and malformed requests to each endpoint.
func (c *canaries) visit(t *testing.T, s *process, p *profiles.Profile, password string) {
	t.Helper()
	base := s.urls[p.Name]
	token := c.visitLogin(t, s, p, password)
	for _, e := range p.Endpoints {
		at := base + strings.ReplaceAll(e.Path, "{username}", "alice")
		good, contentType := body(p, e, func(r profiles.Role) string { return c.value(r, password) })
		for _, request := range []struct{ method, url, body string }{
			{e.Methods[0], at, good},
			{e.Methods[0], at, good[:len(good)/2] + c.secret()},
			{e.Methods[0], at, c.secret() + strings.Repeat("[", 2000)},
			{e.Methods[0], at + "?password=" + c.secret(), good},
			{e.Methods[0], at + c.secret(), good},
			{"PATCH", at, c.secret()},
			{"OPTIONS", at, ""},
		} {
			for _, authorization := range []string{
				"", "Token " + token, "Token " + c.secret(), "Token " + c.secret() + " " + c.secret(), "Bearer " + c.secret(),
				"Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+c.secret())),
			} {
				if strings.Contains(authorization, token) && (e.Action == profiles.Logout || e.Action == profiles.LogoutAll) {
					authorization = strings.Replace(authorization, token, c.login(t, s, p, "alice", password), 1)
				}
				a, err := s.send(request.method, request.url, "", request.body, "Authorization", authorization, "Content-Type", contentType,
					"Cookie", "sessionid="+c.secret(), "X-Request-Id", c.secret(), "X-Forwarded-For", c.secret(), "User-Agent", "app/1 "+authorization)
				if err != nil || a.status >= 500 {
					t.Fatalf("%s %s: %d %s %v", request.method, request.url, a.status, a.body, err)
				}
				c.collect(a.body)
			}
		}
	}
}

// value is what is sent in a field of a registration.
func (c *canaries) value(r profiles.Role, password string) string {
	switch r {
	case profiles.RoleUsername:
		return fmt.Sprintf("user-%d", len(c.all))
	case profiles.RoleEmail:
		return "someone@example.com"
	case profiles.RoleAttribute: // which people see
		return "Ann"
	case profiles.RoleAccept:
		return "true"
	}
	return password
}

// visitLogin fails to log in in several ways, then logs in, and returns the token.
func (c *canaries) visitLogin(t *testing.T, s *process, p *profiles.Profile, password string) (token string) {
	t.Helper()
	for _, credentials := range [][2]string{{"alice", c.secret()}, {c.secret(), c.secret()}, {c.secret(), ""}} {
		c.login(t, s, p, credentials[0], credentials[1])
	}
	return c.login(t, s, p, "alice", password)
}

// login logs in, and returns the token if that succeeds.
func (c *canaries) login(t *testing.T, s *process, p *profiles.Profile, username, password string) (token string) {
	t.Helper()
	for _, e := range p.Endpoints {
		if e.Action == profiles.Login {
			text, contentType := body(p, e, func(r profiles.Role) string {
				switch r {
				case profiles.RoleUsername:
					return username
				case profiles.RoleEmail:
					return "someone@example.com"
				}
				return password
			})
			header, value := "Content-Type", contentType
			if len(e.Fields) == 0 {
				header, value, text = "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(username+":"+password)), ""
			}
			a, err := s.send("POST", s.urls[p.Name]+e.Path, "", text, header, value, "User-Agent", "app/1 "+password)
			if err != nil {
				t.Fatal(err)
			}
			token = c.collect(a.body)
		}
	}
	return token
}

var issued = regexp.MustCompile(`"token": ?"([0-9a-f]{32,})"`)

// collect treats a token in an answer as a secret.
func (c *canaries) collect(body string) string {
	m := issued.FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	c.all = append(c.all, m[1])
	return m[1]
}
