package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// journal is what a client knows for certain: what was acknowledged. A request
// without an answer may or may not have taken effect.
type journal struct {
	mu     sync.Mutex
	users  map[string]bool // registered
	live   map[string]string
	doubt  map[string]bool // tokens whose logout was not acknowledged
	ended  map[string]bool
	cycle  map[string]int // of each name and token
	counts struct{ registered, logins, logouts int }
}

// TestKilledServer kills a server at random moments while clients keep a journal, and
// after each restart looks for everything that was acknowledged. It kills 20 times, or
// AUTHCOMPAT_CRASH_CYCLES.
func TestKilledServer(t *testing.T) {
	cycles := 20
	if text := os.Getenv("AUTHCOMPAT_CRASH_CYCLES"); text != "" {
		var err error
		if cycles, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{
		"--profile", "ocd-users@127.0.0.1:0", "--profile", "snippit@127.0.0.1:0", "--store", database(t), "--password-iterations", "1",
		"--limits", "off",
	}
	j := &journal{
		users: make(map[string]bool), live: make(map[string]string), doubt: make(map[string]bool), ended: make(map[string]bool),
		cycle: make(map[string]int),
	}
	for cycle := range cycles {
		p, err := launch(t, args...)
		if err != nil {
			t.Fatalf("cycle %d: %v", cycle, err)
		}
		if cycle > 0 {
			j.verify(t, p, cycle, cycle-1)
		}
		var clients sync.WaitGroup
		stop := make(chan struct{})
		for client := range 4 {
			clients.Go(func() { j.client(t, p, cycle, fmt.Sprintf("u%d-%d", cycle, client), stop) })
		}
		time.Sleep(time.Duration(20+rand.N(250)) * time.Millisecond) // the moment of the kill, not a wait for something
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		close(stop)
		clients.Wait()
		_ = p.Wait() // reports the kill
	}
	p := start(t, args...)
	j.verify(t, p, cycles, 0)
	j.verifyAudit(t, p)
	t.Logf("%d kills: %d registrations, %d logins, %d logouts acknowledged, %d logouts in doubt; none lost",
		cycles, j.counts.registered, j.counts.logins, j.counts.logouts, len(j.doubt))
}

// client registers, logs in and out until the server is gone.
func (j *journal) client(t *testing.T, p *process, cycle int, prefix string, stop chan struct{}) {
	api := p.urls["ocd-users"]
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		name := fmt.Sprintf("%s-%d", prefix, n)
		body := fmt.Sprintf(`{"username": %q, "password": "secret"}`, name)
		a, err := p.send("POST", api+"/api/register/", "", body)
		if err != nil {
			return
		}
		if a.status != 200 {
			t.Errorf("register: %d %s", a.status, a.body)
			return
		}
		j.keep(t, cycle, name, a.body, &j.counts.registered)
		a, err = p.send("POST", api+"/api/login/", "", body)
		if err != nil {
			return
		}
		if a.status != 200 {
			t.Errorf("login: %d %s", a.status, a.body)
			return
		}
		token := j.keep(t, cycle, name, a.body, &j.counts.logins)
		if n%2 == 0 {
			continue
		}
		j.mu.Lock()
		delete(j.live, token)
		j.doubt[token] = true
		j.mu.Unlock()
		if a, err = p.send("POST", api+"/api/logout/", token, ""); err != nil {
			return
		}
		if a.status != 204 {
			t.Errorf("logout: %d %s", a.status, a.body)
			return
		}
		j.mu.Lock()
		delete(j.doubt, token)
		j.ended[token] = true
		j.counts.logouts++
		j.mu.Unlock()
	}
}

// keep records an acknowledged token.
func (j *journal) keep(t *testing.T, cycle int, name, body string, count *int) string {
	token := tokenIn(t, body)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.users[name] = true
	j.live[token] = name
	j.cycle[name], j.cycle[token] = cycle, cycle
	*count++
	return token
}

// verify looks for everything acknowledged since a cycle.
func (j *journal) verify(t *testing.T, p *process, cycle, since int) {
	t.Helper()
	check := func(token, name string) int {
		a, err := p.send("GET", p.urls["snippit"]+"/api/account/"+name+"/", token, "")
		if err != nil {
			t.Fatal(err)
		}
		return a.status
	}
	for token, name := range j.live {
		if j.cycle[token] < since {
			continue
		}
		if status := check(token, name); status != 200 {
			t.Errorf("cycle %d: the acknowledged token of %s answers %d", cycle, name, status)
		}
	}
	for token := range j.ended {
		if j.cycle[token] < since {
			continue
		}
		if status := check(token, "x"); status != 401 {
			t.Errorf("cycle %d: a token that was logged out answers %d", cycle, status)
		}
	}
	for name := range j.users {
		if j.cycle[name] < since {
			continue
		}
		body := fmt.Sprintf(`{"username": %q, "password": "other"}`, name)
		if a, err := p.send("POST", p.urls["ocd-users"]+"/api/register/", "", body); err != nil || a.status != 400 {
			t.Errorf("cycle %d: the name of %s is free: %d %v", cycle, name, a.status, err)
		}
	}
}

// verifyAudit looks for each acknowledged action in the audit record.
func (j *journal) verifyAudit(t *testing.T, p *process) {
	t.Helper()
	recorded := make(map[string]int)
	for line := range strings.Lines(command(t, "", "audit", "--store", p.store(), "--limit", "0", "--json")) {
		var e struct{ Act, Username string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		recorded[string(e.Act)]++
		if e.Act == "register" {
			recorded["register "+e.Username]++
		}
	}
	for name := range j.users {
		if recorded["register "+name] != 1 {
			t.Errorf("%d records of the registration of %s", recorded["register "+name], name)
		}
	}
	if recorded["login"] < j.counts.logins || recorded["logout"] < j.counts.logouts {
		t.Errorf("record of %d logins and %d logouts, acknowledged %d and %d",
			recorded["login"], recorded["logout"], j.counts.logins, j.counts.logouts)
	}
}
