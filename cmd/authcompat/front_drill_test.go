package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// drill is a living system that is switched while its clients work: an old Django, which gets
// its requests from three nodes of ours, and a new one.
type drill struct {
	nodes    [3]*process
	old, new string // the applications, straight
	dsn      string

	ending   atomic.Bool
	requests atomic.Int64
	dead     atomic.Int64 // tokens that were logged out and refused ever since
	mu       sync.Mutex
	faults   []string
}

// TestFrontDrill switches a genuine Django to us by percent, back, and again, while 32 clients log
// in, work, and log out: no request fails, nobody is asked to log in again, and no token works
// after its logout.
func TestFrontDrill(t *testing.T) {
	t.Parallel()
	d := newDrill(t)
	var clients sync.WaitGroup
	for i := range 32 {
		clients.Go(func() { d.work(t, i) })
	}
	for i := range watched {
		d.nodes[0].want(t, http.StatusOK, http.MethodPost, d.nodes[0].urls["ocd-users"]+"/api/register/", "", watchedUser(i))
	}
	stay := time.Duration(count(1500, 20_000)) * time.Millisecond
	moved := make(map[string]bool)
	for _, step := range []string{"", "all=1%", "all=10%", "all=50%", "all=100%", "rollback", "all=100%"} {
		d.turn(t, step)
		time.Sleep(stay)
		d.checkSides(t, step, moved)
	}
	d.ending.Store(true)
	clients.Wait()
	t.Logf("%d requests, %d tokens that were logged out", d.requests.Load(), d.dead.Load())
	if d.requests.Load() < 500 || d.dead.Load() < 20 {
		t.Error("too few")
	}
	if len(d.faults) > 0 {
		t.Errorf("%d faults:\n%s", len(d.faults), strings.Join(d.faults[:min(len(d.faults), 10)], "\n"))
	}
	if audit := command(t, "", "audit", "--action", "cutover", "--store", d.dsn); strings.Count(audit, "=100%") < 2 || !strings.Contains(audit, "=1%") {
		t.Errorf("the audit record has\n%s", audit)
	}
}

func newDrill(t *testing.T) *drill {
	t.Helper()
	cluster := postgrestest.Start(t, postgrestest.Options{})
	project, err := filepath.Abs(filepath.Join("..", "..", "conformance", "reference", "project"))
	if err != nil {
		t.Fatal(err)
	}
	const iterations = "1000"
	application := func(side string, more ...string) string {
		return "http://" + startGunicorn(t, "drill:application", append(more, "DRILL_PROJECT="+project, "DRILL_ITERATIONS="+iterations,
			"DRILL_PORT="+strconv.Itoa(cluster.Port()), "DRILL_SIDE="+side)...)
	}
	d := &drill{dsn: "django+" + cluster.DSN()}
	d.old = application("old", "DRILL_MIGRATE=1")
	d.new = application("new")
	file := filepath.Join(t.TempDir(), "c.yaml")
	put(t, file, "listeners:\n  - profile: ocd-users\n    address: 127.0.0.1:0\n    front: {old: "+d.old+", new: "+d.new+
		", paths: [{path: /private/, token: needed}, {path: /pages/, token: pass}]}\n")
	for i := range d.nodes {
		d.nodes[i] = start(t, "--config", file, "--store", d.dsn, "--password-iterations", iterations, "--limits", "off")
	}
	return d
}

// turn runs a command of the operator and waits until every node has gone by it.
func (d *drill) turn(t *testing.T, step string) {
	t.Helper()
	if step == "" {
		return // as it is after the first start
	}
	args := []string{"cutover", "set", step}
	if step == "rollback" {
		args = []string{"cutover", "rollback"}
	}
	command(t, "", append(args, "--store", d.dsn)...)
	set := time.Now()
	want := map[string]string{"rollback": "old", "all=100%": "new"}[step]
	for i, node := range d.nodes {
		eventually(t, step+" at each node", func() bool {
			// Without a token, the login is nobody's: who has no name is the last to move.
			a, err := node.send(http.MethodPost, node.urls["ocd-users"]+"/api/login/", "", "{}")
			side := "new"
			if err == nil && a.header.Get("X-Side") == "old" {
				side = "old"
			}
			return want == "" || side == want
		})
		if want != "" {
			t.Logf("%s: node %d has gone by it %v after the command", step, i, time.Since(set).Round(time.Millisecond))
		}
	}
	if want == "" {
		time.Sleep(time.Second) // that each node has seen it is not told by a single answer
	}
}

// watched is how many users nobody logs out but the test.
const watched = 16

func watchedUser(i int) string {
	return fmt.Sprintf(`{"username": "watched%d", "password": "correct horse"}`, i)
}

// checkSides asks every node where each of the watched users is sent, at each path: it is the
// same side, and nobody who has moved is back, but for a rollback.
func (d *drill) checkSides(t *testing.T, step string, moved map[string]bool) {
	t.Helper()
	now := 0
	for i := range watched {
		name, side := fmt.Sprintf("watched%d", i), ""
		for _, node := range d.nodes {
			url := node.urls["ocd-users"]
			a := node.want(t, http.StatusOK, http.MethodPost, url+"/api/login/", "", watchedUser(i))
			token := tokenIn(t, a.body)
			for _, sent := range []string{
				cmp.Or(a.header.Get("X-Side"), "new"), // ours has no such header
				node.want(t, http.StatusOK, http.MethodGet, url+"/private/", token, "").header.Get("X-Side"),
				node.want(t, http.StatusOK, http.MethodGet, url+"/pages/a/", token, "").header.Get("X-Side"),
				cmp.Or(node.want(t, http.StatusNoContent, http.MethodPost, url+"/api/logout/", token, "").header.Get("X-Side"), "new"),
			} {
				if side = cmp.Or(side, sent); sent != side {
					t.Errorf("after %q, %s is sent to %s and to %s", step, name, side, sent)
				}
			}
		}
		switch {
		case step == "rollback":
			moved[name] = false
		case moved[name] && side != "new":
			t.Errorf("after %q, %s is back at the old side", step, name)
		}
		if side == "new" {
			moved[name] = true
			now++
		}
	}
	t.Logf("after %q: %d of %d users are on the new side", step, now, watched)
	want := map[string][2]int{"": {0, 0}, "all=1%": {0, 5}, "all=10%": {0, 9}, "all=50%": {1, 15}, "rollback": {0, 0}, "all=100%": {watched, watched}}[step]
	if now < want[0] || now > want[1] {
		t.Errorf("after %q: %d of %d users are on the new side", step, now, watched)
	}
}

// work is one client, until the drill ends.
func (d *drill) work(t *testing.T, i int) {
	name := fmt.Sprintf("client%d", i)
	credentials := fmt.Sprintf(`{"username": %q, "password": "correct horse %d"}`, name, i)
	random := rand.New(rand.NewPCG(uint64(i), 1))
	var live, dead []string
	if a, ok := d.send(random, http.StatusOK, http.MethodPost, "/api/register/", "", credentials); ok {
		live = append(live, tokenIn(t, a.body))
	}
	for !d.ending.Load() {
		switch what := random.IntN(10); {
		case len(live) == 0 || what == 0 && len(live) < 4:
			if a, ok := d.send(random, http.StatusOK, http.MethodPost, "/api/login/", "", credentials); ok {
				live = append(live, tokenIn(t, a.body))
			}
		case what == 1 && len(live) > 1:
			token := live[0]
			live = live[1:]
			d.send(random, http.StatusNoContent, http.MethodPost, "/api/logout/", token, "")
			dead = append(dead, token)
			d.dead.Add(1)
		case what == 2 && random.IntN(4) == 0:
			d.send(random, http.StatusNoContent, http.MethodPost, "/api/logoutall/", live[0], "")
			dead, live = append(dead, live...), nil
		case what < 5 && len(dead) > 0:
			token := dead[random.IntN(len(dead))]
			d.send(random, http.StatusUnauthorized, http.MethodGet, "/private/", token, "")
		default:
			path := []string{"/private/", "/pages/a/"}[random.IntN(2)]
			if a, ok := d.send(random, http.StatusOK, http.MethodGet, path, live[random.IntN(len(live))], ""); ok && !strings.Contains(a.body, strconv.Quote(name)) {
				d.fault("%s is shown %s", name, a.body)
			}
		}
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
	}
	for _, token := range dead {
		for _, at := range []string{d.old, d.new} {
			a, err := d.nodes[0].send(http.MethodGet, at+"/private/", token, "")
			if err != nil || a.status != http.StatusUnauthorized {
				d.fault("after a logout, %s answers %d %v", at, a.status, err)
			}
		}
	}
}

// send sends a request to one of the nodes, and keeps a fault if the answer has another status.
func (d *drill) send(random *rand.Rand, status int, method, path, token, body string) (answer, bool) {
	node := d.nodes[random.IntN(len(d.nodes))]
	a, err := node.send(method, node.urls["ocd-users"]+path, token, body)
	d.requests.Add(1)
	if err != nil || a.status != status {
		d.fault("%s %s: %d %q %v, want %d", method, path, a.status, a.body, err, status)
		return a, false
	}
	return a, true
}

func (d *drill) fault(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
	slices.Sort(d.faults)
}
