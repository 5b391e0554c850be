package server

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/cutover"
)

// TestSwitchOfAServer sends users to the sides by all that decides.
func TestSwitchOfAServer(t *testing.T) {
	s := startSwitched(t, "[login, logout, register, /private/, other]")
	for _, name := range []string{"Ann", "bob"} {
		s.user(t, name)
	}
	if got := s.switches.state.Load(); got.Version != 1 || len(got.Rules) != 5 {
		t.Fatalf("at the start: %+v", got)
	}
	var said strings.Builder
	if err := newBanner([]config.BoundProfile{*s.apis[0].bound.Load()}, s.servers, s.current()).write(&said); err != nil || !strings.Contains(said.String(), "\n  switched between it and this server: login, logout, register\n  switched between it and http://127.0.0.1:") {
		t.Errorf("the server says %s, %v", said.String(), err)
	}
	// All begins on the old side, as it was sent, and without the rules of tokens.
	const odd = "{\"username\":\t\"ann\",  \"password\": \"secret\"}\r\n"
	s.want(t, "old", "POST", "/api/login/?next=%2f", "bad", odd)
	if got, want := s.old.got(), fmt.Sprintf("POST /api/login/?next=%%2f [Token bad] %q identity=0", odd); got != want {
		t.Errorf("the old side got %s, want %s", got, want)
	}
	s.want(t, "old", "POST", "/api/logout/", "bad", "")
	s.want(t, "old", "OPTIONS", "/api/login/", "", "")
	s.want(t, "old", "POST", "/api/login", "", odd) // would be redirected
	s.want(t, "old", "GET", "/private/x", s.tokens["Ann"], "")
	s.want(t, "API 401", "GET", "/private/x", "", "")
	s.want(t, "API 405", "GET", "/api/logoutall/", s.tokens["Ann"], "") // not switched

	everywhere := func(r cutover.Rule) {
		var rules []cutover.Rule
		for _, e := range []string{"login", "logout", "register", "/private/", cutover.Other} {
			r.Endpoint = e
			rules = append(rules, r)
		}
		s.put(t, rules...)
	}
	// The account's own spelling is in the list: by any spelling, and by its token, it is one.
	everywhere(cutover.Rule{Users: []string{"Ann", "Eve", "eve"}})
	for _, name := range []string{"Ann", "ann", "aNN"} {
		s.want(t, "API 200", "POST", "/api/login/", "", loginOf(name))
	}
	s.want(t, "old", "POST", "/api/login/", "", loginOf("bob"))
	s.want(t, "old", "POST", "/api/login/", s.tokens["Ann"], loginOf("bob"))
	s.want(t, "new", "GET", "/private/x", s.tokens["Ann"], "")
	if got := s.new.got(); !strings.HasSuffix(got, "identity=1") {
		t.Errorf("the new side got %s", got)
	}
	s.want(t, "old", "GET", "/private/x", s.tokens["bob"], "")
	s.want(t, "new", "GET", "/b", s.tokens["Ann"], "")
	s.want(t, "new", "GET", "//private/", s.tokens["Ann"], "") // ambiguous: other
	s.want(t, "old", "GET", "/b", "", "")
	s.want(t, "old", "GET", "/a/x", s.tokens["Ann"], "") // not switched
	s.want(t, "API 405", "GET", "/api/login/", s.tokens["Ann"], "")
	s.want(t, "old", "GET", "/api/login/", s.tokens["bob"], "")
	s.want(t, "API 200", "POST", "/api/register/", "", `{"username": "Eve", "password": "correct horse"}`)
	s.want(t, "API 400", "POST", "/api/register/", "", `{"username": "EVE", "password": "correct horse"}`) // taken, by the same account
	s.want(t, "API 204", "POST", "/api/logout/", s.tokens["Ann"], "")
	s.want(t, "old", "POST", "/api/logout/", s.tokens["Ann"], "") // it is nobody's now

	everywhere(cutover.Rule{Headers: []cutover.Header{{Name: "X-Canary", Value: "yes"}}})
	s.want(t, "new", "GET", "/b", "", "", "X-Canary", "yes")
	s.want(t, "API 200", "POST", "/api/login/", "", loginOf("bob"), "X-Canary", "yes")
	s.want(t, "old", "POST", "/api/login/", "", loginOf("bob"), "X-Canary", "no")

	everywhere(cutover.Rule{Share: cutover.All})
	s.want(t, "API 200", "POST", "/api/login/", "", loginOf("bob"))
	s.want(t, "API 400", "POST", "/api/login/", "", "{")
	s.want(t, "new", "GET", "/b", "", "")

	for line, n := range map[string]int{`"endpoint":"login","status":200,`: 1, `"side":"old"`: 1, `"side":"new"`: 1, `secret`: 0, s.tokens["Ann"]: 0} {
		if got := s.log.count(line); (got > 0) != (n > 0) {
			t.Errorf("%d lines of the log have %s", got, line)
		}
	}
	if got := s.metric("authcompat_cutover_version"); len(got) != 1 || got[0] != fmt.Sprintf("authcompat_cutover_version %d", s.switches.state.Load().Version) {
		t.Errorf("%q", got)
	}
	if got := s.metric(`authcompat_cutover_requests_total{endpoint="login",profile="ocd-users",side="new"}`); len(got) != 1 || strings.HasSuffix(got[0], " 0") {
		t.Errorf("%q", got)
	}
	if got := s.metric("authcompat_cutover_requests_total"); len(got) != 10 {
		t.Errorf("%d series of sides: %q", len(got), got)
	}
	for _, application := range []string{"old", "new"} {
		if got := s.metric(`authcompat_front_requests_total{application="` + application + `",profile="ocd-users",result="ok"}`); len(got) != 1 || strings.HasSuffix(got[0], " 0") {
			t.Errorf("%q", got)
		}
	}
}

// TestRaisingAShare raises a share by steps: all paths have the same users on the new side, and
// nobody comes back.
func TestRaisingAShare(t *testing.T) {
	s := startSwitched(t, "[login, /a/, /private/, other]")
	names := make([]string, 24)
	for i := range names {
		names[i] = fmt.Sprintf("User%d", i)
		s.user(t, names[i])
	}
	moved := make(map[string]bool)
	for _, share := range []cutover.Share{0, 2500, 5000, 7500, cutover.All} {
		var rules []cutover.Rule
		for _, e := range []string{"login", "/a/", "/private/", cutover.Other} {
			rules = append(rules, cutover.Rule{Endpoint: e, Share: share})
		}
		s.put(t, rules...)
		n := 0
		for _, name := range names {
			token := s.tokens[name]
			sides := map[string]string{}
			for what, send := range map[string]func() (string, error){
				"login":                  func() (string, error) { return s.send("POST", "/api/login/", "", loginOf(name)) },
				"login, in another case": func() (string, error) { return s.send("POST", "/api/login/", "", loginOf(strings.ToUpper(name))) },
				"pass":                   func() (string, error) { return s.send("GET", "/a/x", token, "") },
				"needed":                 func() (string, error) { return s.send("GET", "/private/x", token, "") },
				"other":                  func() (string, error) { return s.send("GET", "/x", token, "") },
			} {
				got, err := send()
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(got, "API 200") {
					got = "new"
				}
				sides[got] += " " + what
			}
			is := len(sides["new"]) > 0
			if len(sides) != 1 || moved[name] && !is {
				t.Errorf("%s at %s: %q, before: %t", name, share, sides, moved[name])
			}
			if moved[name] = is; is {
				n++
			}
		}
		if share == 0 && n != 0 || share == cutover.All && n != len(names) || share == 5000 && (n == 0 || n == len(names)) {
			t.Errorf("%s: %d of %d", share, n, len(names))
		}
	}
}

// TestSwitchWhileTheStoreIsAway goes by the last state.
func TestSwitchWhileTheStoreIsAway(t *testing.T) {
	s := startSwitched(t, "[/a/, other]")
	s.put(t, cutover.Rule{Endpoint: "/a/", Share: cutover.All})
	s.cutover.fail(core.ErrUnavailable, false)
	for deadline := time.Now().Add(20 * time.Second); s.log.count("can't be read") == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no warning")
		}
	}
	s.want(t, "new", "GET", "/a/x", "", "")
	s.want(t, "old", "GET", "/x", "", "")
	s.settings("[/private/]")
	if err := s.reload(t.Context()); err == nil {
		t.Error("endpoints were declared nowhere")
	}
	s.want(t, "new", "GET", "/a/x", "", "")
	s.cutover.fail(nil, false)
	if err := s.reload(t.Context()); err != nil {
		t.Error(err)
	}
	s.want(t, "old", "GET", "/a/x", "", "")
	s.put(t, cutover.Rule{Endpoint: "/private/", Share: cutover.All})
	if got := s.switches.state.Load(); len(got.Rules) != 3 {
		t.Errorf("%+v", got.Rules)
	}
}

// TestReloadOfASwitch reloads what is switched, and changes the state, while requests run: each
// is answered by a side.
func TestReloadOfASwitch(t *testing.T) {
	s := startSwitched(t, "[login, /a/]")
	s.user(t, "ann")
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var answers atomic.Int64
	for i := range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := s.send("GET", "/a/x", s.tokens["ann"], "")
				if i%2 == 0 {
					got, err = s.send("POST", "/api/login/", "", loginOf("ann"))
				}
				if err != nil || got != "old" && got != "new" && got != "API 200" {
					t.Errorf("%s, %v", got, err)
				}
				answers.Add(1)
			}
		})
	}
	for i := range 6 {
		s.settings([]string{"[login, /a/]", "[login, other]"}[i%2])
		if err := s.reload(t.Context()); err != nil {
			t.Error(err)
		}
		s.put(t, cutover.Rule{Endpoint: "login", Share: cutover.Share(i%2) * cutover.All}, cutover.Rule{Endpoint: "/a/", Users: []string{"ann"}})
	}
	close(stop)
	clients.Wait()
	if answers.Load() == 0 {
		t.Error("nobody was answered")
	}
}

// TestReadinessOfBothSides asks for the applications that anybody is sent to.
func TestReadinessOfBothSides(t *testing.T) {
	s := startSwitched(t, "[/a/, /private/, other]")
	if failed := s.unreachable(t.Context()); len(failed) > 0 || len(s.metric(`authcompat_front_reachable{application="new"`)) > 0 {
		t.Errorf("%v, and the new one is asked for", failed)
	}
	s.put(t, cutover.Rule{Endpoint: "/a/", Share: 1})
	if failed := s.unreachable(t.Context()); len(failed) > 0 || len(s.metric(`authcompat_front_reachable{application="new",profile="ocd-users"} 1`)) != 1 {
		t.Errorf("%v, or the new one is not asked for", failed)
	}
}
