package browse_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
)

// TestBrowser looks at the pages of all built-in profiles in a browser, and at the largest closely.
func TestBrowser(t *testing.T) {
	browser := consoletest.Start(t)
	all := targets(t)
	tab := browser.Open(t, consoletest.Serve(t, console.Options{Targets: all}))
	if got := tab.Count("main .card"); got != len(all) {
		t.Errorf("the index shows %d of %d APIs", got, len(all))
	}
	tab.Accessible()
	tab.Screenshot("profiles")
	for _, one := range all {
		tab.Go("/console/profiles/" + one.Name + "/")
		if got, want := tab.Count("#list > li"), len(one.Profile.Endpoints); got != want {
			t.Errorf("%s: %d of %d endpoints", one.Name, got, want)
		}
		tab.Click("#list h3 a")
		tab.Wait("h2", "Every other answer")
		if tab.Count("#refusals li") < 10 {
			t.Errorf("%s: %d answers", one.Name, tab.Count("#refusals li"))
		}
	}

	tab.Go("/console/profiles/djoser/")
	tab.Accessible()
	tab.Screenshot("profile")
	tab.Fill("#filter", "reset username")
	tab.Wait("#announcer", "are left")
	if got := tab.Count("#list > li"); got != 2 {
		t.Errorf("%d endpoints are left", got)
	}
	tab.Fill("#find-text", "stale token")
	tab.Press(kb.Enter)
	tab.Wait(".refusals", "Stale token for given user.")
	tab.Click(".refusals .badge")
	tab.Wait("h1", "/auth/users/activation/")
	if got := consoletest.Eval[bool](tab, `document.querySelector(":target .wire").textContent.includes("Stale token")`); !got {
		t.Errorf("%s leads to another answer", tab.Path())
	}

	tab.Go("/console/profiles/ocd-users/endpoints/register")
	tab.Accessible()
	tab.Screenshot("endpoint")
	tab.Fill("#filter", "already exists")
	tab.Wait("#refusals .said", "A user with that username already exists.")
	for range 2 { // by the script, and then by the server
		if answers, titles := tab.Count("#refusals li"), tab.Count("#refusals h3"); answers != 2 || titles != 2 {
			t.Errorf("%s: %d answers and %d titles are left", tab.Path(), answers, titles)
		}
		tab.Go("/console/profiles/ocd-users/endpoints/register?q=already+exists")
	}
	tab.Scheme("dark")
	tab.Phone()
	tab.Screenshot("endpoint-phone")
}
