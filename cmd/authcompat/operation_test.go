package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

const (
	credentials = `{"username": "alice", "password": "secret"}`
	wrong       = `{"username": "alice", "password": "wrong"}`
)

func TestManagement(t *testing.T) {
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t), "--log-requests", "all")...)
	api := p.urls["ocd-users"]
	token := tokenIn(t, p.want(t, 200, "POST", api+"/api/register/", "", credentials).body)
	p.want(t, 400, "POST", api+"/api/login/", "", wrong)
	p.want(t, 204, "POST", api+"/api/logout/", token, "")
	p.want(t, 404, "GET", api+"/secret-path", "", "")
	for path, want := range map[string]string{"/livez": "ok\n", "/readyz": "ok\n"} {
		if got := p.want(t, 200, "GET", p.manage+path, "", "").body; got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	for name, want := range map[string]float64{
		`authcompat_http_requests_total{endpoint="register",profile="ocd-users",status="200"}`:  1,
		`authcompat_http_requests_total{endpoint="login",profile="ocd-users",status="400"}`:     1,
		`authcompat_http_requests_total{endpoint="other",profile="ocd-users",status="404"}`:     1,
		`authcompat_http_request_duration_seconds_count{endpoint="logout",profile="ocd-users"}`: 1,
		`authcompat_logins_total{outcome="invalid_credentials",profile="ocd-users"}`:            1,
		`authcompat_password_hashes_total`:                                                      2,
		`authcompat_password_hash_queue_wait_seconds_count`:                                     2,
		`authcompat_store_operation_duration_seconds_count{operation="find_token"}`:             1,
		`authcompat_store_operation_errors_total{operation="find_token"}`:                       0,
		`authcompat_panics_total`: 0,
	} {
		if got := p.metric(t, name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	type line struct {
		Level, Msg                 string
		Profile, Endpoint, Outcome string
		Status                     int
		Request                    string
		Duration                   float64 `json:"duration_ms"`
	}
	var got []line
	for text := range strings.Lines(p.log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if l.Request == "" && (l.Level == "WARN" || l.Msg == "authcompat has started") {
			continue // at the start; the warning is of the few iterations that tests have
		}
		if len(l.Request) != 16 || l.Duration <= 0 {
			t.Errorf("no request id or duration: %s", text)
		}
		l.Level, l.Msg, l.Request, l.Duration = "", "", "", 0
		got = append(got, l)
	}
	want := []line{
		{Profile: "ocd-users", Endpoint: "register", Status: 200, Outcome: "ok"},
		{Profile: "ocd-users", Endpoint: "login", Status: 400, Outcome: "invalid_credentials"},
		{Profile: "ocd-users", Endpoint: "logout", Status: 204, Outcome: "ok"},
		{Profile: "ocd-users", Status: 404, Outcome: "not_found"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if strings.Contains(p.log.String(), "secret") {
		t.Error("the log shows what a client sent")
	}
}

func TestLimitsOverTheWire(t *testing.T) {
	revealing := filepath.Join(t.TempDir(), "revealing.yaml")
	source, err := os.ReadFile("../../profiles/authtokens.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source = bytes.Replace(source, []byte("name: authtokens"), []byte("name: revealing\nthrottling: revealed"), 1)
	if err := os.WriteFile(revealing, source, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--password-iterations", "100", "--store", database(t), "--limit-per-user", "3/15m", "--trusted-proxy", "127.0.0.1",
		"--profile", "authtokens@127.0.0.1:0", "--profile", revealing+"@127.0.0.1:0", "--profile", "form-auth@127.0.0.1:0")
	hidden, telling, form := p.urls["authtokens"], p.urls["revealing"], p.urls["form-auth"]
	token := tokenIn(t, p.want(t, 201, "POST", hidden+"/api/register/", "", credentials).body)
	const failure = `{"error": "Invalid username or password"}`
	for i := range 5 {
		a := p.want(t, 401, "POST", hidden+"/api/login/", "", wrong, "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
		if a.body != failure {
			t.Errorf("try %d: %s", i, a.body)
		}
	}
	if a := p.want(t, 401, "POST", hidden+"/api/login/", "", credentials); a.body != failure {
		t.Errorf("the right password: %s", a.body)
	}
	a := p.want(t, 429, "POST", telling+"/api/login/", "", credentials)
	wait, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || wait > 300 || wait < 240 || a.body != fmt.Sprintf(`{"error": "Too many requests, try again in %d seconds"}`, wait) {
		t.Errorf("revealing: %s, Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
	a = p.want(t, 200, "POST", form+"/auth/login", "", "username=alice&password=secret", "Content-Type", "application/x-www-form-urlencoded")
	if !strings.Contains(a.body, "__all__") || !strings.Contains(a.body, `"token": null`) {
		t.Errorf("another profile: %s", a.body)
	}
	if n := p.metric(t, `authcompat_password_hashes_total`); n != 4 {
		t.Errorf("%v hashes, want one of register and three of guesses", n)
	}
	p.want(t, 200, "POST", hidden+"/api/logout/", token, "")
	if out := command(t, "", "audit", "--store", p.store(), "--action", "login", "--json"); strings.Count(out, `"address":"198.51.100.`) != 3 {
		t.Errorf("addresses in the record:\n%s", out)
	}
}

// store returns the DSN that a server was started with.
func (p *process) store() string { return p.Args[slices.Index(p.Args, "--store")+1] }

func TestLimitsOff(t *testing.T) {
	t.Setenv("AUTHCOMPAT_LIMITS", "off")
	p := start(t, append(cheap, "--profile", "authtokens", "--store", database(t), "--limit-per-user", "1/15m")...)
	p.want(t, 201, "POST", p.urls["authtokens"]+"/api/register/", "", credentials)
	for range 3 {
		p.want(t, 401, "POST", p.urls["authtokens"]+"/api/login/", "", wrong)
	}
	p.want(t, 200, "POST", p.urls["authtokens"]+"/api/login/", "", credentials)
	if !strings.Contains(p.log.String(), "not limited") {
		t.Errorf("no warning at start: %s", p.log.String())
	}
}

// TestParallelGuessesAtTwoServers checks that two processes share one limit.
func TestParallelGuessesAtTwoServers(t *testing.T) {
	for name, dsn := range map[string]func() string{
		"sqlite":   func() string { return database(t) },
		"postgres": func() string { return postgrestest.Start(t, postgrestest.Options{}).DSN() },
	} {
		t.Run(name, func(t *testing.T) { parallelGuesses(t, dsn()) })
	}
}

func parallelGuesses(t *testing.T, dsn string) {
	args := append(cheap, "--profile", "ocd-users", "--store", dsn, "--hash-queue", "500")
	nodes := []*process{start(t, args...), start(t, args...)}
	nodes[0].want(t, 200, "POST", nodes[0].urls["ocd-users"]+"/api/register/", "", credentials)
	hashes := func() float64 {
		return nodes[0].metric(t, "authcompat_password_hashes_total") + nodes[1].metric(t, "authcompat_password_hashes_total")
	}
	before := hashes()
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			p := nodes[i%2]
			a, err := p.send("POST", p.urls["ocd-users"]+"/api/login/", "", wrong)
			if err != nil || a.status != 400 || a.body != `{"non_field_errors":["Unable to log in with provided credentials."]}` {
				t.Errorf("guess: %d %s %v", a.status, a.body, err)
			}
		})
	}
	all.Wait()
	if n := hashes() - before; n != 10 {
		t.Errorf("%v hashes for 200 guesses, want 10", n)
	}
}

func TestReload(t *testing.T) {
	folder := t.TempDir()
	config, profile := filepath.Join(folder, "config.yaml"), filepath.Join(folder, "mine.yaml")
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source, err := os.ReadFile("../../profiles/authtokens.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(profile, string(source))
	good := "listeners: [{profile: " + profile + ", address: '127.0.0.1:0'}]\nstore: " + database(t) + "\npassword_iterations: 100\n"
	write(config, good)
	p := start(t, "--config", config)
	api := p.urls["authtokens"]
	p.want(t, 201, "POST", api+"/api/register/", "", credentials)

	write(profile, strings.Replace(string(source), "Invalid username or password", "No", 1))
	write(config, good+"login_limits: {per_user: 1/15m}\n")
	p.sighup(t, "reloaded")
	for range 2 {
		if a := p.want(t, 401, "POST", api+"/api/login/", "", wrong); a.body != `{"error": "No"}` {
			t.Errorf("after reload: %s", a.body)
		}
	}
	if n := p.metric(t, `authcompat_logins_total{outcome="throttled",profile="authtokens"}`); n != 1 {
		t.Errorf("%v logins throttled, want 1", n)
	}
	stays := func(name string) {
		t.Helper()
		p.sighup(t, "reload failed")
		if a := p.want(t, 401, "POST", api+"/api/login/", "", wrong); a.body != `{"error": "No"}` {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	for name, bad := range map[string]string{
		"a bad setting":    good + "login_limits: {per_user: many}\n",
		"an empty file":    "",
		"a bad address":    strings.Replace(good, ":0'", "'", 1),
		"an unknown key":   good + "limit: {}\n",
		"a broken profile": "listeners: [{profile: " + config + ", address: '127.0.0.1:0'}]\n",
	} {
		write(config, bad)
		stays(name)
	}
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	stays("no file")
}

// eventually waits for an effect of another process.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestHostileRequests sends requests that net/http rejects before any handler, and
// ambiguous ones.
func TestHostileRequests(t *testing.T) {
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", database(t))...)
	address := strings.TrimPrefix(p.urls["ocd-users"], "http://")
	const post = "POST /api/login/ HTTP/1.1\r\nHost: a\r\n"
	for _, test := range []struct{ name, request, want string }{
		{"two lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400 Bad Request"},
		{"length and chunks", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", "closed after one"},
		{"unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501 Not Implemented"},
		{"two codings", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501 Not Implemented"},
		{"length with a sign", post + "Content-Length: +3\r\n\r\nabc", "400 Bad Request"},
		{"blank before a colon", post + "Content-Length : 3\r\n\r\nabc", "400 Bad Request"},
		{"folded header", post + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", "400 Bad Request"},
		{"bad chunk", post + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
		{"NUL in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", "400 Bad Request"},
		{"bare LF in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "400 Bad Request"},
		{"large headers", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 17<<10) + "\r\n\r\n", "431 Request Header Fields Too Large"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "not 2.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Write([]byte(test.request)); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(conn)
			resp, err := http.ReadResponse(in, nil)
			switch {
			case test.want == "not 2.0":
				if err == nil && resp.StatusCode < 400 {
					t.Errorf("status %s", resp.Status)
				}
				return
			case err != nil:
				t.Fatal(err)
			case test.want == "closed after one":
				body := new(bytes.Buffer)
				_, _ = body.ReadFrom(resp.Body)
				if second, err := http.ReadResponse(in, nil); err == nil {
					t.Errorf("a second answer %s to one request", second.Status)
				}
			case !strings.HasPrefix(resp.Status, test.want):
				t.Errorf("status %s, want %s", resp.Status, test.want)
			}
			if resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented {
				t.Errorf("status %s", resp.Status)
			}
		})
	}
}
