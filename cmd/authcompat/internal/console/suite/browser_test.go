package suite_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
)

// named returns a target of another name than its profile's.
func named(name string, there target.Target) target.Target {
	there.Name = name
	return there
}

// measure follows a run beside the page, and notes the number of its events and the longest time between two of them, in
// milliseconds.
const measure = `(() => {
	const source = new EventSource(document.querySelector("section[data-follow]").dataset.follow);
	const seen = window.seen = {longest: 0, events: 0, ended: false, waits: []};
	let last = performance.now();
	const note = (event) => {
		seen.longest = Math.max(seen.longest, performance.now() - last);
		last = performance.now();
		seen.events++;
		seen.ended = event.type === "end";
		if (seen.ended) source.close();
		for (const wait of seen.waits.splice(0)) wait();
	};
	for (const type of ["exchange", "progress", "end"]) source.addEventListener(type, note);
	return true;
})()`

// measured waits for the next event, and returns what was noted.
const measured = `new Promise((done) => {
	const tell = () => done({longest: seen.longest, events: seen.events, ended: seen.ended});
	if (seen.ended) tell(); else seen.waits.push(tell);
})`

// A measurement is what was noted.
type measurement struct {
	Longest float64
	Events  int
	Ended   bool
}

// TestBrowser runs the suite of an API to its end, watched live, looks at what differs where a mismatch is planted, cancels a
// run, and moves the clock.
func TestBrowser(t *testing.T) {
	browser := consoletest.Start(t)
	stuck := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}
	tab := browser.Open(t, consoletest.Serve(t, console.Options{Clock: inprocess.NewClock(), Targets: []target.Target{
		named("ours", targettest.Launched(t, "knox", nil)),
		named("misspelled", targettest.Launched(t, "ocd-users", targettest.Misspelled)),
		named("stuck", targettest.Launched(t, "ocd-users", stuck)),
		named("old.example.com", targettest.API(t, "ocd-users")),
	}}))

	tab.Go("/console/suite/?target=ours")
	tab.Accessible()
	tab.Screenshot("suite-before")
	tab.Click("#start")
	tab.Wait("#result h2", "Run 1")
	consoletest.Eval[bool](tab, measure)
	var run measurement
	for !run.Ended {
		run = consoletest.Eval[measurement](tab, measured)
	}
	tab.Wait("#said", "As documented: 31 of 31 exchanges passed.")
	t.Logf("%d events, the longest pause between two is %.0f ms", run.Events, run.Longest)
	if run.Events < 32 {
		t.Errorf("%d events of 31 exchanges", run.Events)
	}
	if live, rows := tab.Count("tbody .badge.ok"), tab.Count("tbody tr"); live != 31 || rows != 31 {
		t.Errorf("%d of %d rows are green", live, rows)
	}
	if tab.Count("#again") != 0 || tab.Count("#start") != 1 || tab.Count("#stop") != 0 {
		t.Error("the buttons are not those of a run that has ended")
	}
	tab.Wait("#began", "Begun 2")
	tab.Wait("#took", ", took ")
	live := tab.Text("#result")
	looks(tab, "suite-passed")
	tab.Reload()
	if again := tab.Text("#result"); again != live {
		t.Errorf("loaded again, the run is\n%s\nand was\n%s", again, live)
	}

	tab.Go("/console/suite/?target=misspelled")
	tab.Fill("#only", "^login: (the documented|an inactive|every|a user)")
	tab.Click("#start")
	tab.Wait("#said", "Not as documented: 2 of 5 exchanges passed, 3 failed.")
	tab.Wait("tbody .badge.bad", "failed")
	tab.Wait("#again", "Run again only what did not pass")
	looks(tab, "suite-failed")
	tab.Click("tbody tr:has(.badge.bad) a")
	tab.Wait("h1", "login: the documented error, incorrect credentials")
	tab.Wait(".diff .got", "Unable to log in with provided Credentials.")
	if marked := tab.Text(".diff .got mark"); marked != "C" {
		t.Errorf("marked is %q", marked)
	}
	looks(tab, "suite-exchange")
	tab.Click(".row a.button")
	tab.Wait("h1", "Try")
	if path, _ := url.Parse(tab.Path()); path.Path != "/console/try/" || path.Query().Get("step") != "1" || path.Query().Get("target") != "misspelled" {
		t.Errorf("it is tried at %s", tab.Path())
	}

	tab.Go("/console/suite/?target=stuck")
	tab.Click("#start")
	tab.Wait("#said", "0 of 59: register: the documented example")
	tab.Accessible()
	tab.Click("#stop")
	tab.Wait("#said", "Cancelled: 0 of 59 exchanges passed, 59 not tried.")
	tab.Wait("#again", "Run again only what did not pass")

	tab.Go("/console/suite/?target=old.example.com")
	looks(tab, "suite-named")
	tab.Click("#start") // the browser wants the box to be ticked first
	tab.Go("/console/suite/")
	if tab.Count(".card") != 4 {
		t.Errorf("%d cards", tab.Count(".card"))
	}
	tab.Wait("[data-target='old.example.com'] .badge", "not run yet")
	looks(tab, "suite")

	tab.Go("/console/suite/?target=ours#time")
	tab.Click("button[value=day]")
	tab.Wait("ol .past", "The clock was moved by 1 day")
	tab.Wait("ol .past", "A token issued just before it was moved by 1 day has ended")
	tab.Wait("ol .now", "Now")
	tab.Click("button[value=end]")
	tab.Wait("ol .past", "The clock was moved by 10 hours 1 second")
	tab.Click("nav ul.shows li:nth-child(2) a")
	tab.Wait("#result .empty", "There is none.")
	looks(tab, "suite-time")

	tab.Scripts(false)
	tab.Go("/console/suite/?target=ours")
	tab.Fill("#only", "^login:")
	tab.Click("#start")
	tab.Wait("#said", "As documented: 11 of 11 exchanges passed.") // the page loads itself again
	tab.Scripts(true)
}

// looks has a page looked at: by axe-core, and as pictures if some are asked for.
func looks(tab *consoletest.Tab, name string) {
	tab.Accessible()
	tab.Screenshot(name)
	tab.Scheme("dark")
	tab.Screenshot(name + "-dark")
	tab.Phone()
	tab.Screenshot(name + "-phone-dark")
	tab.Scheme("light")
	tab.Screenshot(name + "-phone")
	tab.Desktop()
}
