package operate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/page"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/callers"
	"github.com/authcompat/authcompat/core/cutover"
)

// TestBrowser disables a user and sets the cutover, as an operator does, and looks at the rest.
func TestBrowser(t *testing.T) {
	browser := consoletest.Start(t)
	o := open(t, sqliteDSN(t), true)
	fill(t, o)
	ended, end := context.WithCancel(t.Context())
	end() // samples are taken by the test alone: one of now would be among those that it takes later
	view := operate.New(ended, operate.Options{Engine: o.Engine, Metrics: o.metrics.Gatherer(), Write: true})
	mux := http.NewServeMux()
	view.Register(mux)
	mux.Handle("GET /console/{$}", http.RedirectHandler("/console/users/", http.StatusSeeOther))
	key := guard.NewKey()
	frame := page.Frame{Links: operate.Links(), Mode: "a test", Write: true}
	server := httptest.NewServer(guard.New(guard.Options{Key: key, Hosts: []string{"127.0.0.1"}}).Wrap(page.WithFrame(frame, mux)))
	t.Cleanup(server.Close)
	tab := browser.Open(t, guard.URL(server.Listener.Addr().String(), key))
	look := func(name string) {
		t.Helper()
		tab.Accessible()
		tab.Screenshot("operate-" + name)
		tab.Phone()
		tab.Screenshot("operate-" + name + "-phone")
		tab.Desktop()
	}

	tab.Go("/console/users/")
	look("users")
	tab.Fill("#q", "MALLORY@example.com")
	tab.Click("main form button")
	tab.Wait("main a", "All users") // the page before shows mallory, too
	tab.Click("tbody th a")
	tab.Wait("h2", "Tokens")
	look("user")
	tab.Click("main .actions a.danger")
	tab.Wait("h1", "Disable a user?")
	look("disable")
	tab.Fill("#name", "somebody")
	tab.Click("main form button.danger")
	tab.Wait(".notice.bad", "Nothing is done")
	tab.Accessible()
	for _, problem := range tab.Problems() {
		if !strings.Contains(problem, "status of 422") {
			t.Error(problem)
		}
	}
	tab.Fill("#name", "mallory")
	tab.Click("main form button.danger")
	tab.Wait(".notice.ok", "The user is disabled.")
	tab.Wait(".badge.bad", "disabled")
	if u, err := o.User(t.Context(), "mallory"); err != nil || u.Active {
		t.Errorf("the user is %v, %v", u, err)
	}
	tab.Click(`main a[href^="/console/audit/"]`)
	tab.Wait("tbody td", "console")
	look("audit")
	tab.Go("/console/tokens/")
	look("tokens")
	tab.Go("/console/callers/?by=agent")
	look("callers")

	tab.Go("/console/cutover/")
	look("cutover")
	tab.Choose("#endpoint", "login")
	tab.Fill("#share", "10%")
	tab.Click("main form button")
	tab.Wait("dd", "login 1% → 10%")
	look("set")
	tab.Click("main form button.danger")
	tab.Wait(".notice.ok", "The cutover is set.")
	tab.Wait("td", "10%")

	testMetrics(t, o, view, tab)
	look("metrics")
	tab.Click("summary")
	tab.Scheme("dark")
	tab.Screenshot("operate-metrics-dark")
}

// testMetrics has the page of metrics follow samples by itself.
func testMetrics(t *testing.T, o *operator, view *operate.View, tab *consoletest.Tab) {
	t.Helper()
	o.metrics.ObserveHashWait(0)
	at := time.Now() // after the sample that New has taken
	sample := func() {
		at = at.Add(10 * time.Second)
		view.Sample(at)
	}
	check := func(times int) {
		for range times {
			if _, _, err := o.Backend.FindToken(t.Context(), core.DefaultRealm, "none"); err == nil {
				t.Fatal("there is such a token")
			}
		}
	}
	for i := range 120 {
		n := 3 + i%7 + i/20
		check(n)
		for range n {
			o.metrics.CountEvent(core.ActionLogin, "snippit", core.OK)
		}
		if i%5 == 0 {
			o.metrics.CountEvent(core.ActionLogin, "snippit", "invalid_credentials")
		}
		sample()
	}
	tab.Go("/console/metrics/")
	tab.Wait("#logins-title", "Logins by outcome")
	tab.Wait("#checks-0-now", "0.80")
	tab.Click("summary")
	was := consoletest.Eval[string](tab, `document.querySelector("#checks-0").getAttribute("d")`)
	tab.Wait(".hint", "This page follows them by itself.") // what comes next is seen
	check(17)
	sample()
	tab.Wait("#checks-0-now", "1.70")
	if is := consoletest.Eval[string](tab, `document.querySelector("#checks-0").getAttribute("d")`); is == was || !strings.HasSuffix(is, "L396.0 30.0") {
		t.Errorf("the line has become %s", is)
	}
	if !consoletest.Eval[bool](tab, `document.querySelector("details").open`) {
		t.Error("the table was closed by a sample: the page was loaded again")
	}
	o.metrics.CountEvent(core.ActionLogin, "snippit", "throttled")
	sample()
	tab.Wait(".key li", "throttled: 6")
	tab.Click("summary")
}

// fill makes what an operator looks at.
func fill(t *testing.T, o *operator) {
	t.Helper()
	o.user(t, "ann")
	o.user(t, "mallory")
	o.user(t, `<b>bold</b> "quoted"`)
	o.user(t, strings.Repeat("long", 30))
	for range 3 {
		for _, name := range []string{"ann", "mallory"} {
			if _, _, err := o.login(t, name, "correct horse"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"ann", "nobody"} {
		if _, _, err := o.login(t, name, "wrong"); err == nil {
			t.Fatal("a wrong password is right")
		}
	}
	now := time.Now()
	var calls []callers.Calls
	for i, agent := range []string{"OldApp/1.4 (iPhone; iOS 12.4)", "okhttp/3.9.1", "python-requests/2.18.4"} {
		calls = append(calls, callers.Calls{Caller: callers.Caller{Profile: "snippit", Endpoint: "login", User: "ann", Client: fmt.Sprintf("192.0.2.%d", i), Agent: agent}, Day: callers.DayOf(now), Requests: int64(1000 / (i + 1)), Refused: int64(i), First: now.Add(-time.Hour), Last: now})
	}
	if err := o.Backend.Callers.AddCalls(t.Context(), "one", calls); err != nil {
		t.Fatal(err)
	}
	if err := o.DeclareEndpoints(t.Context(), "login", "logout", "/app/orders"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.ChangeCutover(core.WithActor(t.Context(), core.Console), func(s *cutover.State) error {
		r := s.Rule("login")
		r.Share, r.Users = 100, []string{"ann", "mallory"}
		s.Set(r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	count := o.metrics.ShadowCounter("snippit", []string{"login", "logout"}, []string{"same", "noise", "differ", "busy"})
	for i := range 50 {
		count("login", []string{"same", "same", "same", "noise", "busy"}[i%5])
	}
	count("logout", "differ")
}
