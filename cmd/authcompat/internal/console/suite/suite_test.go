package suite

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
)

const profile = "ocd-users"

// TestRun runs the exchanges of one endpoint to their end, and gets each of them in an event, in order.
func TestRun(t *testing.T) {
	c := serve(t, Options{Targets: []target.Target{targettest.Launched(t, profile, nil)}})
	c.get(path, nil).has(t, "Run all of this process", profile, "not run yet")
	c.of(profile).has(t, "The 59 exchanges", "login: an inactive user")
	started := c.run(profile, url.Values{"only": {"^logoutall: "}})
	if !strings.Contains(started.source, `<noscript><meta http-equiv="refresh" content="2"></noscript>`) {
		t.Error("without a script the page of a run is not loaded again")
	}
	var names []string
	events := c.watch(started.follow(t)).all()
	for _, e := range events {
		if e.kind == "exchange" {
			one := decode[rowEvent](t, e)
			names = append(names, one.Name)
			if one.Number != len(names) || one.Verdict != (verdict{"passed", "ok"}) || one.Took == "" {
				t.Errorf("%+v", one)
			}
		}
	}
	want := []string{"logoutall: all tokens of the user", "logoutall: the tokens of other users stay", "logoutall: no token, and an incorrect one", "logoutall: a body is ignored", "logoutall: OPTIONS describes the view"}
	if strings.Join(names, "\n") != strings.Join(want, "\n") {
		t.Errorf("events of %q", names)
	}
	last := events[len(events)-1]
	if end := decode[progress](t, last); last.kind != "end" || end.Passed != 5 || end.Total != 5 || end.Running || end.Left != 0 {
		t.Errorf("the last event is %+v", last)
	}
	// The result is there for who comes later.
	page := c.of(profile)
	page.has(t, "Run 1", "As documented: 5 of 5 exchanges passed.", "names with ^logoutall:", want[0]+" passed")
	page.lacks(t, "Cancel", "Run again only what did not pass", "waiting")
	if strings.Contains(page.source, "refresh") || strings.Contains(page.source, "data-follow") {
		t.Error("a run that has ended is waited for")
	}
	c.get(path, nil).has(t, "passed As documented: 5 of 5")
	c.exchange(profile, want[1]).has(t, "passed", "Status, headers and the whole body of each answer were as documented.")
	c.exchange(profile, "login: an inactive user").has(t, "not replayed by the last run", "Try it by hand")
}

// TestMismatch finds a planted mismatch, shows what was wanted and what came, and runs again what failed alone.
func TestMismatch(t *testing.T) {
	c := serve(t, Options{Targets: []target.Target{targettest.Launched(t, profile, targettest.Misspelled)}})
	page := c.finish(profile, c.run(profile, url.Values{"only": {"^login: (the|an inactive|every)"}}))
	page.has(t, "Not as documented: 2 of 4 exchanges passed, 2 failed.", "Run again only what did not pass",
		"login: the documented error, incorrect credentials body differs")
	failed := c.get(path, url.Values{"target": {profile}, "show": {"failed"}})
	failed.has(t, "login: an inactive user")
	failed.lacks(t, "login: every login gives a token of its own")
	c.get(path, url.Values{"target": {profile}, "show": {"skipped"}}).has(t, "There is none.")

	const name = "login: the documented error, incorrect credentials"
	one := c.exchange(profile, name)
	one.has(t, "failed", "What differs", "documented: −", "received: +", "Unable to log in with provided C redentials.", "Step 1", "POST /api/login/ HTTP/1.1", "400 Bad Request", `"password":"…"`)
	want := "/console/try/?" + url.Values{"exchange": {name}, "target": {profile}}.Encode() + "&step=1"
	if !strings.Contains(html.UnescapeString(one.source), `href="`+want+`"`) {
		t.Errorf("no link to %s", want)
	}
	again := c.run(profile, url.Values{"do": {"again"}})
	again.has(t, "Run 2", "only what did not pass before")
	again.lacks(t, "every login gives a token")
	c.finish(profile, again).has(t, "Not as documented: 0 of 2 exchanges passed, 2 failed.")
}

// A gate is put around a handler: it has the first few requests pass, and holds those after them until it is opened or they are
// given up.
type gate struct {
	pass atomic.Int32
	held chan struct{} // has one for each request that is held
	open chan struct{} // closed when it is open
}

func newGate(pass int32) *gate {
	g := &gate{held: make(chan struct{}, 100), open: make(chan struct{})}
	g.pass.Store(pass)
	return g
}

func (g *gate) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.pass.Add(-1) < 0 {
			g.held <- struct{}{}
			select {
			case <-g.open:
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// TestCancel cancels a run in the middle: what was replayed stays, the rest was not tried, and can be run then.
func TestCancel(t *testing.T) {
	g := newGate(2)
	c := serve(t, Options{Targets: []target.Target{targettest.Launched(t, profile, g.around)}})
	started := c.run(profile, url.Values{"only": {"^login: (other types|a body|a Content|an Accept)"}})
	<-g.held
	page := c.of(profile)
	page.has(t, "Cancel", "1 of 5: login: a body that is no object", "login: other types, and NUL passed", "login: an Accept that no renderer satisfies waiting")
	page.lacks(t, "Run again")

	// Nothing but this run can be cancelled, and no second one be started.
	c.post(path+"cancel", url.Values{"target": {profile}, "run": {"7"}}).has(t, "1 of 5")
	c.run(profile, url.Values{}).has(t, "Nothing new was started", "1 of 5")

	c.post(path+"cancel", url.Values{"target": {profile}, "run": {"1"}})
	page = c.finish(profile, started)
	page.has(t, "Cancelled: 1 of 5 exchanges passed, 4 not tried.", "Run again only what did not pass", "login: a body that is no object not tried", "login: an Accept that no renderer satisfies not tried")
	page.lacks(t, "could not run", "waiting")
	close(g.open)
	c.finish(profile, c.run(profile, url.Values{"do": {"again"}})).has(t, "As documented: 4 of 4 exchanges passed.")
	// It is over: there is nothing to be cancelled.
	c.post(path+"cancel", url.Values{"target": {profile}, "run": {"2"}}).has(t, "As documented: 4 of 4 exchanges passed.")
}

// TestViewers has a run watched by somebody who reads nothing, somebody who leaves, and two who see all of it, one of whom
// comes late.
func TestViewers(t *testing.T) {
	g := newGate(1)
	c := serve(t, Options{Targets: []target.Target{targettest.Launched(t, profile, g.around)}})
	started := c.run(profile, url.Values{"only": {"^logout: "}})
	address := started.follow(t)
	c.watch(address) // and reads nothing
	leaves, first := c.watch(address), c.watch(address)
	leaves.until("progress")
	_ = leaves.body.Close()
	<-g.held
	close(g.open)
	first.until("exchange")
	late := c.watch(address)
	count := func(s *stream) (exchanges int) {
		for _, e := range s.all() {
			if e.kind == "exchange" {
				exchanges++
			}
		}
		return exchanges
	}
	if all, rest := count(late), count(first); all != 10 || rest != 9 {
		t.Errorf("who comes late sees %d exchanges, who has seen one %d more", all, rest)
	}
	// A run is watched after its end, too, as by a browser that connects again.
	if again := count(c.watch(address)); again != 10 {
		t.Errorf("after the end %d exchanges are seen", again)
	}
	if s := c.get(path+"events", url.Values{"target": {profile}, "run": {"2"}}); s.status != http.StatusNotFound {
		t.Errorf("a run that is not there: %d", s.status)
	}
}

// TestAll runs all that this process starts servers for, and follows all of it at once.
func TestAll(t *testing.T) {
	there, _, _ := running(t, "snippit")
	ours := targettest.Launched(t, profile, nil)
	some := *ours.Exchanges
	some.Exchanges = some.Exchanges[:3]
	ours.Exchanges = &some
	second, third := ours, ours
	second.Name, third.Name = "second", "third"
	third.Exchanges = nil
	c := serve(t, Options{Targets: []target.Target{ours, second, third, there}})
	page := c.post(path+"all", nil)
	if page.path != path {
		t.Errorf("it leads to %s", page.path)
	}
	ended := map[string]bool{}
	for _, e := range c.watch(page.follow(t)).all() {
		if e.kind == "target" {
			one := decode[cardEvent](t, e)
			ended[one.Target] = !one.Running && one.Word == "passed" && one.Passed == 3
		}
	}
	if len(ended) != 2 || !ended[profile] || !ended["second"] {
		t.Errorf("ended are %v", ended)
	}
	c.get(path, nil).has(t, "third In this process · no exchange file", "snippit "+there.URL+" · 41 exchanges not run yet")
}

// TestRunningServer asks before it changes anything at a server that was named, makes users there, and says why it skips what
// it skips.
func TestRunningServer(t *testing.T) {
	there, _, requests := running(t, profile)
	c := serve(t, Options{Targets: []target.Target{there}, Clock: inprocess.NewClock()})
	page := c.of(profile)
	page.has(t, "This changes what is at "+there.URL+".", "Users are made there", "That is what I want at this server")
	page.lacks(t, "Move it on", "Run all of this process")
	only := url.Values{"only": {"login: (the documented example|a token lives)"}}
	if refused := c.run(profile, only); refused.status != http.StatusBadRequest {
		t.Errorf("status %d", refused.status)
	} else {
		refused.has(t, "Nothing was sent: a run changes what is at that server.")
	}
	if n := requests.Load(); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	only.Set("sure", "on")
	page = c.finish(profile, c.run(profile, only))
	page.has(t, "As documented: 1 of 2 exchanges passed, 1 can’t be replayed there.", "skipped", "the clock of a running server cannot be moved")
	c.get(path, url.Values{"target": {profile}, "show": {"skipped"}}).has(t, "login: a token lives until its expiry")
}

// TestGivenUser runs with a user that exists where the API makes none, and shows the password nowhere.
func TestGivenUser(t *testing.T) {
	there, state, _ := running(t, "drf-authtoken")
	if err := state.CreateUser(t.Context(), conformance.User{Username: "given", Password: "pass phrase"}); err != nil {
		t.Fatal(err)
	}
	c := serve(t, Options{Targets: []target.Target{there}})
	page := c.of("drf-authtoken")
	page.has(t, "Existing user", "This API makes no users", "The user’s tokens are issued and revoked")
	page.lacks(t, "Users are made there")
	name := loginOf(t, there.Exchanges)
	fields := url.Values{"only": {"^" + name + "$"}, "sure": {"on"}, "user": {"given"}}
	c.run("drf-authtoken", fields).has(t, "A user needs a password, and a password a user")
	fields.Set("password", "wrong")
	c.finish("drf-authtoken", c.run("drf-authtoken", fields)).has(t, "Nothing was replayed: the given user cannot log in", "What to do: correct the user or the password")
	fields.Set("password", "pass phrase")
	page = c.finish("drf-authtoken", c.run("drf-authtoken", fields))
	page.has(t, "1 of 1 exchanges passed")
	if strings.Contains(page.source, "pass phrase") {
		t.Error("the password is shown")
	}
}

// loginOf returns the name of the first exchange of a file that is about logging in.
func loginOf(t *testing.T, f *conformance.File) string {
	t.Helper()
	for _, e := range f.Exchanges {
		if strings.HasPrefix(e.Name, "login: ") {
			return e.Name
		}
	}
	t.Fatal("no login")
	return ""
}

// TestUnfit says what is wrong with servers at which nothing can be replayed.
func TestUnfit(t *testing.T) {
	dead, other := targettest.API(t, profile), targettest.API(t, profile)
	closed := httptest.NewServer(http.NotFoundHandler())
	dead.Name, dead.URL = "dead", closed.URL
	closed.Close()
	nothing := httptest.NewServer(http.NotFoundHandler())
	defer nothing.Close()
	other.Name, other.URL = "other", nothing.URL
	c := serve(t, Options{Targets: []target.Target{dead, other}})
	for name, want := range map[string]string{"dead": "start the server", "other": "give the address under which the API's own paths begin"} {
		page := c.finish(name, c.run(name, url.Values{"sure": {"on"}, "only": {"^login"}}))
		page.has(t, "Nothing was replayed: ", "What to do: "+want)
	}
	c.get(path, nil).has(t, "could not run Nothing was replayed: ")
}

// TestPinned connects to nothing but the addresses that were looked up at the start.
func TestPinned(t *testing.T) {
	there, _, _ := running(t, profile)
	v, err := New(t.Context(), Options{Targets: []target.Target{there}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := v.relay.Client(profile)
	if err != nil || client.Client == nil {
		t.Fatal(err)
	}
	there.URL = "http://elsewhere.invalid" // what a name comes to later is not asked
	made, refused := v.prepare(there, form{Only: "^login: the documented example$", Sure: true}, "", false)
	if refused != "" {
		t.Fatal(refused)
	}
	if !v.start(made) {
		t.Fatal("not started")
	}
	for changed := v.changes.wait(); made.state().Ended.IsZero(); changed = v.changes.wait() {
		if !made.state().Ended.IsZero() {
			break
		}
		<-changed
	}
	if got := progressOf(made.state()); got.Passed != 1 {
		t.Errorf("%+v", got)
	}
}

// TestRefused refuses what makes no run.
func TestRefused(t *testing.T) {
	nothing := targettest.Launched(t, profile, nil)
	nothing.Name, nothing.Exchanges = "nothing", nil
	c := serve(t, Options{Targets: []target.Target{targettest.Launched(t, profile, nil), nothing}})
	for text, fields := range map[string]url.Values{
		"The names of exchanges: want a part of an exchange's name, or a regular expression: missing closing )": {"only": {"("}},
		"No exchange has such a name. Capitals count.":                                                          {"only": {"Nothing is called so"}},
		"This is more than a pattern of names: it may have 200 bytes.":                                          {"only": {strings.Repeat("é", 101)}},
		"There was no run at this target yet.":                                                                  {"do": {"again"}},
	} {
		page := c.run(profile, fields)
		if page.status != http.StatusBadRequest {
			t.Errorf("%s: status %d", text, page.status)
		}
		page.has(t, text)
	}
	c.run("nothing", url.Values{}).has(t, "There is no exchange file for this API")
	c.run(profile, url.Values{"only": {"<b>"}}).lacks(t, "Run 1")
	for what, page := range map[string]*sheet{
		"run":      c.run("elsewhere", url.Values{}),
		"cancel":   c.post(path+"cancel", url.Values{"target": {"elsewhere"}}),
		"page":     c.of("elsewhere"),
		"events":   c.get(path+"events", url.Values{"target": {"elsewhere"}}),
		"exchange": c.get(path+"exchange", url.Values{"target": {"elsewhere"}}),
	} {
		if page.status != http.StatusForbidden {
			t.Errorf("%s of a target that is none: status %d", what, page.status)
		}
	}
	for _, number := range []string{"", "0", "60", "-1", "x"} {
		if page := c.get(path+"exchange", url.Values{"target": {profile}, "number": {number}}); page.status != http.StatusNotFound {
			t.Errorf("exchange %s: status %d", number, page.status)
		}
	}
	if page := c.run(profile, url.Values{"only": {strings.Repeat("a", maxForm)}}); page.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long form: status %d", page.status)
	}
}

// TestEndsWithTheProcess has runs end with the view, and leave no server behind.
func TestEndsWithTheProcess(t *testing.T) {
	g := newGate(0)
	there := targettest.Launched(t, profile, g.around)
	ctx, end := context.WithCancel(t.Context())
	v, err := New(ctx, Options{Targets: []target.Target{there}})
	if err != nil {
		t.Fatal(err)
	}
	made, refused := v.prepare(there, form{}, "", false)
	if refused != "" || !v.start(made) {
		t.Fatal(refused)
	}
	<-g.held
	end()
	there.Launcher.(*inprocess.Launcher).Close() // waits
	if _, err := there.Launcher.Launch(t.Context(), profile); err == nil {
		t.Error("a server is started after that")
	}
}
