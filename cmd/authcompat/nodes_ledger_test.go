package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"testing"
	"time"
)

var tokenPattern = regexp.MustCompile(`"token": *"([0-9a-f]+)"`)

// ledger is what clients know for certain of a database that fails under them:
// what was acknowledged. Any answer that contradicts it is wrong, except 503.
type ledger struct {
	nodes [2]*process
	stop  chan struct{}
	all   sync.WaitGroup

	mu     sync.Mutex
	wrong  []string
	users  []string          // registered
	live   map[string]string // issued tokens, with their users
	ended  map[string]string // logged-out tokens
	counts struct{ registered, logins, logouts, checks, refused int }
	writes []time.Time // when each write was acknowledged
	fails  []time.Time // when each 503 came
}

// newLedger starts clients of two servers, which run until they are stopped.
func newLedger(nodes [2]*process, clients int) *ledger {
	l := &ledger{nodes: nodes, stop: make(chan struct{}), live: make(map[string]string), ended: make(map[string]string)}
	for client := range clients {
		l.all.Go(func() {
			for n := 0; !l.stopped(); n++ {
				l.life(fmt.Sprintf("user-%d-%d", client, n))
			}
		})
	}
	return l
}

// end stops the clients after the request that each is making.
func (l *ledger) end() {
	close(l.stop)
	l.all.Wait()
}

func (l *ledger) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

func (l *ledger) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// failedSince tells whether a 503 came after the moment.
func (l *ledger) failedSince(moment time.Time) (failed bool) {
	l.note(func() { failed = len(l.fails) > 0 && l.fails[len(l.fails)-1].After(moment) })
	return failed
}

// signIn is the body of a registration or a login.
func signIn(name string) string {
	return fmt.Sprintf(`{"username": %q, "email": "a@example.org", "password": "secret"}`, name)
}

// ask sends a request to either server until the answer is not 503, and reports
// whether it was repeated: an earlier attempt may then have taken effect without an
// acknowledgement.
func (l *ledger) ask(method, profile, path, token, body string) (got answer, again bool) {
	for {
		p := l.nodes[rand.N(len(l.nodes))]
		got, err := p.send(method, p.urls[profile]+path, token, body)
		if err != nil {
			l.note(func() { l.wrong = append(l.wrong, fmt.Sprintf("%s %s: %v", method, path, err)) })
			return answer{}, again
		}
		if got.status != 503 {
			return got, again
		}
		again = true
		l.note(func() {
			l.counts.refused++
			l.fails = append(l.fails, time.Now())
			if got.header.Get("Retry-After") == "" {
				l.wrong = append(l.wrong, "503 without Retry-After")
			}
		})
		time.Sleep(5 * time.Millisecond) // much shorter than Retry-After
	}
}

// contradict records an answer that can't be right.
func (l *ledger) contradict(doing string, got answer) {
	l.note(func() { l.wrong = append(l.wrong, fmt.Sprintf("%s: %d %s", doing, got.status, got.body)) })
}

func (l *ledger) acknowledge(change func()) {
	l.note(func() {
		l.writes = append(l.writes, time.Now())
		change()
	})
}

// life registers one user, logs in and out, and checks the tokens.
func (l *ledger) life(name string) {
	got, again := l.ask("POST", "ocd-users", "/api/register/", "", signIn(name))
	switch {
	case got.status == 200:
		l.acknowledge(func() {
			l.users = append(l.users, name)
			l.live[tokenOf(got.body)] = name
			l.counts.registered++
		})
	case got.status == 400 && again: // an earlier attempt took effect
		l.note(func() { l.users = append(l.users, name) })
	default:
		l.contradict("register "+name, got)
		return
	}
	for range 2 {
		if got, _ = l.ask("POST", "ocd-users", "/api/login/", "", signIn(name)); got.status != 200 {
			l.contradict("login of "+name, got)
			return
		}
		token := tokenOf(got.body)
		l.acknowledge(func() {
			l.live[token] = name
			l.counts.logins++
		})
		if l.check(name, token) != 200 {
			l.contradict("a live token of "+name, answer{status: 401})
		}
		if rand.N(2) == 0 {
			l.logout(name, token)
		}
	}
}

// logout ends a token, and checks at once that it has ended.
func (l *ledger) logout(name, token string) {
	got, again := l.ask("POST", "ocd-users", "/api/logout/", token, "")
	if got.status != 204 && (got.status != 401 || !again) {
		l.contradict("logout of "+name, got)
		return
	}
	l.acknowledge(func() {
		delete(l.live, token)
		l.ended[token] = name
		l.counts.logouts++
	})
	for range 3 {
		if l.check(name, token) != 401 {
			l.contradict("a token of "+name+" that was logged out", answer{status: 200})
		}
	}
}

// check presents a token and returns the status.
func (l *ledger) check(name, token string) int {
	got, _ := l.ask("GET", "snippit", "/api/account/"+name+"/", token, "")
	l.note(func() { l.counts.checks++ })
	return got.status
}

// verify looks for everything that was acknowledged, on both servers.
func (l *ledger) verify(t *testing.T) {
	t.Helper()
	lost, resurrected := 0, 0
	for _, name := range l.users {
		if got, _ := l.ask("POST", "ocd-users", "/api/login/", "", signIn(name)); got.status != 200 {
			lost++
		}
	}
	for token, name := range l.live {
		if l.check(name, token) != 200 {
			lost++
		}
	}
	for token, name := range l.ended {
		for range 2 {
			if l.check(name, token) != 401 {
				resurrected++
			}
		}
	}
	c := l.counts
	t.Logf("acknowledged: %d registrations, %d logins, %d logouts; %d checks; %d times 503", c.registered, c.logins, c.logouts, c.checks, c.refused)
	t.Logf("%d wrong answers, %d acknowledged writes lost, %d tokens resurrected", len(l.wrong), lost, resurrected)
	if lost+resurrected > 0 || len(l.wrong) > 0 {
		t.Errorf("wrong: %q", l.wrong[:min(len(l.wrong), 10)])
	}
	if c.registered == 0 || c.logouts == 0 {
		t.Error("nobody has done anything: that proves nothing")
	}
}

// gap returns the longest time without an acknowledged write that overlaps the time
// between two moments.
func (l *ledger) gap(from, to time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 1; i < len(l.writes); i++ {
		if l.writes[i].After(from) && l.writes[i-1].Before(to) {
			longest = max(longest, l.writes[i].Sub(l.writes[i-1]))
		}
	}
	return longest
}

// lastFailure returns how long after one moment the last 503 before another came, or 0
// if there was none.
func (l *ledger) lastFailure(from, to time.Time) (last time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.fails {
		if at.After(from) && at.Before(to) {
			last = max(last, at.Sub(from))
		}
	}
	return last
}

// tokenOf returns the token in a body, or "".
func tokenOf(body string) string {
	m := tokenPattern.FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return m[1]
}
