package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// called is a line of callers --json.
type called struct {
	Profile, Endpoint, User, Client, Agent string
	Other                                  bool
	Requests, Refused                      int64
}

// callersOf returns what callers lists.
func callersOf(t testing.TB, dsn string, args ...string) (all []called) {
	t.Helper()
	for line := range strings.Lines(command(t, "", append([]string{"callers", "--json", "--store", dsn}, args...)...)) {
		var c called
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// TestCallersAreExact ends a server under load: every answer that a client got is counted, once, and
// no other. So it is when the server starts again.
func TestCallersAreExact(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	var answers, refused atomic.Int64
	token := ""
	for run := range 2 {
		p, err := launch(t, "--profile", "snippit@127.0.0.1:0", "--profile", "ocd-users@127.0.0.1:0", "--store", dsn, "--password-iterations", "1", "--limits", "off")
		if err != nil {
			t.Fatal(err)
		}
		if token == "" {
			token = tokenIn(t, p.want(t, http.StatusOK, http.MethodPost, p.urls["ocd-users"]+"/api/register/", "", `{"username": "ann", "password": "secret"}`).body)
			answers.Add(1)
		}
		enough := make(chan struct{})
		var once sync.Once
		var clients sync.WaitGroup
		for client := range 6 {
			clients.Go(func() {
				for n := 0; ; n++ {
					url, key := p.urls["snippit"]+"/api/account/ann/", token
					switch (n + client) % 4 {
					case 0:
						key = "0123456789012345678901234567890123456789"
					case 1:
						url = p.urls["ocd-users"] + "/nothing/"
					}
					a, err := p.send(http.MethodGet, url, key, "", "User-Agent", fmt.Sprint("client/", client))
					if err != nil {
						return
					}
					if a.status >= 400 {
						refused.Add(1)
					}
					if answers.Add(1) > int64(1000*(run+1)) {
						once.Do(func() { close(enough) })
					}
				}
			})
		}
		<-enough
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		clients.Wait()
		if err := p.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, p.log.String())
		}
		var requests, no int64
		for _, c := range callersOf(t, dsn) {
			requests, no = requests+c.Requests, no+c.Refused
		}
		if requests != answers.Load() || no != refused.Load() {
			t.Errorf("run %d: %d requests and %d refused are counted, clients got %d answers and %d refusals", run, requests, no, answers.Load(), refused.Load())
		}
	}
	agents := callersOf(t, dsn, "--by", "agent", "--profile", "snippit")
	if len(agents) != 6 {
		t.Errorf("agents: %v", agents)
	}
	for _, c := range callersOf(t, dsn, "--by", "all", "--profile", "snippit") {
		if c.Endpoint != "account" || c.Client != "127.0.0.1" || (c.User == "ann") != (c.Refused == 0) || c.User == "" && c.Refused != c.Requests {
			t.Errorf("%+v", c)
		}
	}
}

// stop ends a server, which writes who called.
func stop(t testing.TB, p *process) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, p.log.String())
	}
}

// TestCallersCSV has User-Agents that a spreadsheet would take for formulas, and a terminal for
// commands.
func TestCallersCSV(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	p := start(t, append(cheap, "--profile", "ocd-users", "--store", dsn)...)
	agents := []string{`=HYPERLINK("http://x","y")`, "+1", "-1", "@SUM(A1)", `a "quoted", one`, "\u202eevil"}
	for _, agent := range agents {
		p.want(t, http.StatusNotFound, http.MethodGet, p.urls["ocd-users"]+"/", "", "", "User-Agent", agent)
	}
	p.want(t, http.StatusOK, http.MethodPost, p.urls["ocd-users"]+"/api/register/", "", `{"username": "+ann", "password": "secret"}`, "User-Agent", "app/1")
	p.want(t, http.StatusBadRequest, http.MethodPost, p.urls["ocd-users"]+"/api/login/", "", `{"username": "typed by mistake", "password": "secret"}`, "User-Agent", "app/1")
	stop(t, p)
	rows, err := csv.NewReader(strings.NewReader(command(t, "", "callers", "--by", "all", "--csv", "--store", dsn))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], " "); got != "profile endpoint user client agent requests refused first last" {
		t.Errorf("header %s", got)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, strings.Join(row[1:7], "|"))
	}
	slices.Sort(got)
	want := []string{"login||127.0.0.1|app/1|1|1", "register|'+ann|127.0.0.1|app/1|1|0"}
	for _, agent := range agents {
		if strings.ContainsAny(agent[:1], "=+-@") {
			agent = "'" + agent
		}
		agent = strings.ReplaceAll(agent, "\u202e", `\u202e`)
		want = append(want, "other||127.0.0.1|"+agent+"|1|1")
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	table := command(t, "", "callers", "--by", "agent", "--store", dsn)
	if !strings.HasPrefix(table, "PROFILE    AGENT ") || !strings.Contains(table, `\u202eevil`) || strings.Contains(table, "\u202e") {
		t.Errorf("table:\n%s", table)
	}
	if lines := strings.SplitAfter(table, "\n"); !strings.Contains(lines[1], "app/1") {
		t.Errorf("most requests are not first:\n%s", table)
	}
	for _, file := range []string{"", "-wal"} {
		if matches, _ := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + file); len(matches) == 1 && strings.Contains(slurp(t, matches[0]), "typed by mistake") {
			t.Errorf("the name of a failed login is in %s", matches[0])
		}
	}
}

// TestCallersOfAFront counts what goes on to an application by the rule that decided, and tells its
// refusals from those of the API. Only the API's own replies say that it is deprecated.
func TestCallersOfAFront(t *testing.T) {
	t.Parallel()
	application := webApplication(t)
	file, dsn := filepath.Join(t.TempDir(), "c.yaml"), database(t)
	config := func(more string) string {
		return "listeners: [{profile: ocd-users, address: 127.0.0.1:0, " + more + "front: {old: http://" + application + ", paths: [{path: /private/, token: needed}, {path: /gone/, token: refuse}]}}]\n"
	}
	put(t, file, config("deprecation: 2026-01-01, sunset: 2027-01-01, deprecation_link: https://example.com/x, "))
	p := start(t, "--config", file, "--password-iterations", "100", "--store", dsn)
	url := p.urls["ocd-users"]
	token := p.register(t, "ann")
	const deprecation = `@1767225600|Fri, 01 Jan 2027 00:00:00 GMT|<https://example.com/x>; rel="deprecation", <https://example.com/x>; rel="sunset"`
	visit := func(deprecation string) {
		t.Helper()
		for _, test := range []struct {
			method, path, token string
			status              int
			own                 bool
		}{
			{"GET", "/private/x", token, 200, false}, {"GET", "/private/x", "", 401, true}, {"GET", "/gone/", token, 404, true}, {"GET", "/y", "", 200, false},
			{"POST", "/api/login/", "", 400, true}, {"GET", "/api/login/", "", 405, true}, {"OPTIONS", "/api/login/", "", 200, true}, {"GET", "/api/login", "", 301, true}, {"POST", "/api/logoutall/", "", 401, true},
		} {
			p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			a := p.want(t, test.status, test.method, url+test.path, test.token, "")
			want := ""
			if test.own {
				want = deprecation
			}
			if got := strings.Trim(strings.Join([]string{a.header.Get("Deprecation"), a.header.Get("Sunset"), a.header.Get("Link")}, "|"), "|"); got != want {
				t.Errorf("%s %s: %q, want %q", test.method, test.path, got, want)
			}
		}
	}
	visit(deprecation)
	if reply := untilClosed(t, strings.TrimPrefix(url, "http://"), "GET / HTTP/1.1\r\n\r\n"); !strings.Contains(reply, "400 Bad Request") || !strings.Contains(reply, "\r\nDeprecation: @1767225600\r\n") {
		t.Errorf("a request without Host: %s", reply)
	}
	put(t, file, config(""))
	p.sighup(t, "reloaded settings")
	visit("")
	stop(t, p)
	got := make(map[string][2]int64)
	for _, c := range callersOf(t, dsn) {
		got[c.Endpoint] = [2]int64{c.Requests, c.Refused}
	}
	for endpoint, want := range map[string][2]int64{"/private/": {4, 2}, "/gone/": {2, 2}, "login": {6, 4}, "logoutall": {2, 2}} {
		if got[endpoint] != want {
			t.Errorf("%s: %v requests and refused, want %v (all: %v)", endpoint, got[endpoint], want, got)
		}
	}
	for _, c := range callersOf(t, dsn, "--by", "user") {
		if c.User != "" && c.User != "ann" || c.User == "ann" && c.Requests != 3 { // with a good token, checked, and the registration
			t.Errorf("%+v", c)
		}
	}
}

// TestCallersOfDjango writes into Django's database only where that is turned on.
func TestCallersOfDjango(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	mustMakeDjango(t, path)
	dsn := "django+sqlite:" + path
	for _, test := range []struct {
		args []string
		want int64
	}{{nil, 0}, {[]string{"--callers", "on"}, 1}, {[]string{"--callers", "off"}, 1}, {[]string{"--callers", "on", "--callers-retention", "2d"}, 2}} {
		p := start(t, append(append(cheap, "--profile", "authtokens", "--store", dsn), test.args...)...)
		p.want(t, 404, "GET", p.urls["authtokens"]+"/x", "", "")
		stop(t, p)
		var requests int64
		for _, c := range callersOf(t, dsn) {
			requests += c.Requests
		}
		if requests != test.want {
			t.Errorf("%v: %d requests, want %d", test.args, requests, test.want)
		}
		if test.want == 0 {
			if got := command(t, "", "callers", "--store", dsn); !strings.HasPrefix(got, "nobody has called in this time, as far as it is kept") || !strings.Contains(got, "only with --callers on") {
				t.Errorf("it says: %s", got)
			}
			if strings.Contains(slurp(t, path), "authcompat_callers") {
				t.Error("there is a table")
			}
		}
	}
}

// TestCallersOffAndOn follows the setting at a reload.
func TestCallersOffAndOn(t *testing.T) {
	t.Parallel()
	file, dsn := filepath.Join(t.TempDir(), "c.yaml"), database(t)
	const listener = "listeners: [{profile: ocd-users, address: 127.0.0.1:0}]\n"
	put(t, file, listener+"callers: {enabled: off}\n")
	p := start(t, "--config", file, "--password-iterations", "100", "--store", dsn)
	p.want(t, 404, "GET", p.urls["ocd-users"]+"/x", "", "")
	put(t, file, listener)
	p.sighup(t, "reloaded settings")
	for range 2 {
		p.want(t, 404, "GET", p.urls["ocd-users"]+"/x", "", "")
	}
	put(t, file, listener+"callers: {retention: 0}\n")
	p.sighup(t, "reloaded settings")
	p.want(t, 404, "GET", p.urls["ocd-users"]+"/x", "", "")
	stop(t, p)
	if got := callersOf(t, dsn); len(got) != 1 || got[0].Requests != 2 {
		t.Errorf("%+v", got)
	}
}
