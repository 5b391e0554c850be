package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// startNode starts a server on a database that others may use too.
func startNode(t *testing.T, dsn string) *process {
	t.Helper()
	key := "AUTHCOMPAT_SECRET_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	return startWith(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, key) },
		"--profile", "authtokens@127.0.0.1:0", "--profile", "form-auth@127.0.0.1:0",
		"--profile", "ocd-users@127.0.0.1:0", "--profile", "snippit@127.0.0.1:0",
		"--store", dsn, "--password-iterations", "1", "--limits", "off")
}

func startNodes(t *testing.T, dsn string) [2]*process {
	t.Helper()
	return [2]*process{startNode(t, dsn), startNode(t, dsn)}
}

// count is how often a test repeats something: a few times, or many times in long
// tests.
func count(few, many int) int {
	if os.Getenv("AUTHCOMPAT_LONG") != "" {
		return many
	}
	return few
}

// registration describes registration at one API.
type registration struct {
	profile, path string
	form          bool
	created       int
	taken         answer
}

// registrations has one registration of each family, since their answers differ.
func registrations() []registration {
	return []registration{
		{"authtokens", "/api/register/", false, 201, answer{status: 400, body: `{"error": "Invalid Data: column username is not unique"}`}},
		{"form-auth", "/auth/signup", true, 200, answer{status: 200, body: `{"errors": {"username": ["A user with that username already exists."]}, "success": false, "token": null}`}},
		{"ocd-users", "/api/register/", false, 200, answer{status: 400, body: `{"username":["A user with that username already exists."]}`}},
	}
}

func (r registration) register(p *process, name string) (answer, error) {
	at := p.urls[r.profile] + r.path
	if r.form {
		form := url.Values{"username": {name}, "email": {"a@example.org"}, "password1": {"secret"}, "password2": {"secret"}, "accept_tos": {"true"}}
		return p.send("POST", at, "", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	return p.send("POST", at, "", fmt.Sprintf(`{"username": %q, "email": "a@example.org", "password": "secret"}`, name))
}

// TestNodesRaceForName lets 64 clients of two servers register one name at once: one gets
// it, and the others are told that it is taken, in each API's words. It does so 50 times,
// or 1,000.
func TestNodesRaceForName(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, postgrestest.Start(t, postgrestest.Options{}).DSN())
	rounds := count(50, 1000)
	for round := range rounds {
		r := registrations()[round%len(registrations())]
		name := fmt.Sprintf("name-%d", round)
		var answers [64]answer
		var all sync.WaitGroup
		gate := make(chan struct{})
		for i := range answers {
			all.Go(func() {
				<-gate
				var err error
				if answers[i], err = r.register(nodes[i%2], name); err != nil {
					t.Error(err)
				}
			})
		}
		close(gate)
		all.Wait()
		var tokens []string
		for _, got := range answers {
			if got.status == r.taken.status && got.body == r.taken.body {
				continue
			}
			if got.status != r.created {
				t.Fatalf("round %d, %s: %d %s", round, r.profile, got.status, got.body)
			}
			tokens = append(tokens, tokenIn(t, got.body))
		}
		if len(tokens) != 1 {
			t.Fatalf("round %d, %s: %d registrations succeeded", round, r.profile, len(tokens))
		}
		for _, p := range nodes {
			p.want(t, 200, "GET", p.urls["snippit"]+"/api/account/"+name+"/", tokens[0], "")
		}
	}
	t.Logf("%d rounds of 64 registrations: one winner each", rounds)
}

// TestNodesLogout checks tokens at one server while and after the other one ends
// them: no check that begins after the logout was acknowledged succeeds. It makes
// 2,000 such checks, or 100,000.
func TestNodesLogout(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, postgrestest.Start(t, postgrestest.Options{}).DSN())
	const clients, each = 8, 25
	logouts := count(2000, 100_000) / (clients * each)
	var checked, accepted atomic.Int64
	for round := range logouts {
		a, b := nodes[round%2], nodes[(round+1)%2]
		name := fmt.Sprintf("user-%d", round)
		created := a.want(t, 200, "POST", a.urls["ocd-users"]+"/api/register/", "", fmt.Sprintf(`{"username": %q, "email": "a@example.org", "password": "secret"}`, name))
		token := tokenIn(t, created.body)
		account := b.urls["snippit"] + "/api/account/" + name + "/"
		b.want(t, 200, "GET", account, token, "")

		var ended atomic.Bool
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				for left := each; left > 0; {
					after := ended.Load()
					got, err := b.send("GET", account, token, "")
					if err != nil || got.status != 401 && got.status != 200 {
						t.Errorf("%d %s, %v", got.status, got.body, err)
						return
					}
					if !after {
						continue
					}
					left--
					checked.Add(1)
					if got.status == 200 {
						accepted.Add(1)
					}
				}
			})
		}
		a.want(t, 204, "POST", a.urls["ocd-users"]+"/api/logout/", token, "")
		ended.Store(true)
		all.Wait()
	}
	t.Logf("%d logouts, %d checks begun after them: %d accepted", logouts, checked.Load(), accepted.Load())
	if accepted.Load() != 0 {
		t.Error("a token was accepted after its logout")
	}
}

// TestNodesAway checks each family's answer while the database is away: 503 with
// Retry-After, in the family's own shape and in time. Readiness follows by itself.
func TestNodesAway(t *testing.T) {
	t.Parallel()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	p := startNode(t, cluster.DSN())
	token := tokenIn(t, p.want(t, 200, "POST", p.urls["ocd-users"]+"/api/register/", "", `{"username": "ann", "email": "a@example.org", "password": "secret"}`).body)
	const drf, snippit = `{"detail":"Service temporarily unavailable, try again later."}`, `{"status_code": 503, "detail": "Service temporarily unavailable, try again later."}`
	const plain, form = `{"error": "Service temporarily unavailable, try again later"}`, `{"errors": {"__all__": ["Service temporarily unavailable, try again later."]}, "success": false, "token": null}`
	login := `{"username": "ann", "password": "secret"}`
	requests := []struct{ name, profile, method, path, token, body, want string }{
		{"drf, login", "ocd-users", "POST", "/api/login/", "", login, drf},
		{"drf, register", "ocd-users", "POST", "/api/register/", "", `{"username": "bob", "email": "a@example.org", "password": "secret"}`, drf},
		{"drf, logout", "ocd-users", "POST", "/api/logout/", token, "", drf},
		{"drf, account", "snippit", "GET", "/api/account/ann/", token, "", snippit},
		{"plainjson, login", "authtokens", "POST", "/api/login/", "", login, plain},
		{"plainjson, register", "authtokens", "POST", "/api/register/", "", `{"username": "bob", "password": "secret"}`, plain},
		{"plainjson, logout", "authtokens", "POST", "/api/logout/", token, "", plain},
		{"formjson, login", "form-auth", "POST", "/auth/login", "", "username=ann&password=secret", form},
		{"formjson, logout", "form-auth", "POST", "/auth/logout", token, "", drf},
	}
	ways := []struct {
		name       string
		away, back func(testing.TB)
	}{
		{"stopped", cluster.Stop, cluster.StartAgain},
		{"frozen", cluster.Freeze, cluster.Thaw},
	}
	for _, way := range ways {
		p.ready(t, http.StatusOK)
		way.away(t)
		var all sync.WaitGroup
		for _, r := range requests {
			all.Go(func() {
				began := time.Now()
				kind := "application/json"
				if r.profile == "form-auth" {
					kind = "application/x-www-form-urlencoded"
				}
				got, err := p.send(r.method, p.urls[r.profile]+r.path, r.token, r.body, "Content-Type", kind)
				if err != nil || got.status != 503 || got.body != r.want || got.header.Get("Retry-After") != "1" {
					t.Errorf("%s, %s: %d %s, Retry-After %q, %v", way.name, r.name, got.status, got.body, got.header.Get("Retry-After"), err)
				}
				if took := time.Since(began); took > 4*time.Second {
					t.Errorf("%s, %s: answered after %v", way.name, r.name, took)
				}
			})
		}
		all.Wait()
		p.ready(t, http.StatusServiceUnavailable)
		p.want(t, 200, "GET", p.manage+"/livez", "", "")
		way.back(t)
		began := time.Now()
		p.ready(t, http.StatusOK)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: ready again after %v", way.name, took)
		}
		p.want(t, 200, "GET", p.urls["snippit"]+"/api/account/ann/", token, "")
	}
}

func (p *process) ready(t *testing.T, status int) {
	t.Helper()
	for began := time.Now(); ; {
		got, err := p.send("GET", p.manage+"/readyz", "", "")
		if err != nil {
			t.Fatal(err)
		}
		if got.status == status {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("readiness stays %d", got.status)
		}
	}
}
