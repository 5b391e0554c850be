package consoletest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/chromedp/chromedp"
)

// Problems returns what the browser found wrong with the pages so far, one a line, and forgets it: for tests that plant
// something, or come by a page with an error's status, which a browser tells of.
func (tab *Tab) Problems() []string {
	tab.t.Helper()
	Eval[bool](tab, "new Promise((done) => setTimeout(() => done(true), 0))") // what is under way arrives first
	return tab.seen.take()
}

// check fails the test for what is wrong, and logs how large pages were.
func (tab *Tab) check() {
	for _, problem := range tab.Problems() {
		tab.t.Error(problem)
	}
	tab.seen.mu.Lock()
	defer tab.seen.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(tab.seen.sizes)) {
		tab.t.Logf("%s: %d bytes", strings.TrimPrefix(path, tab.origin), tab.seen.sizes[path])
	}
}

// FirstPaint returns the time from the beginning of the page's navigation to its first paint, in
// milliseconds.
func (tab *Tab) FirstPaint() float64 {
	tab.t.Helper()
	return Eval[float64](tab, `new Promise((done) => new PerformanceObserver((list) => {
		for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") done(entry.startTime);
	}).observe({type: "paint", buffered: true}))`)
}

// Violations returns what axe-core finds in the page as it is shown now, one a line: all its rules.
func (tab *Tab) Violations() []string {
	tab.t.Helper()
	// The protocol evaluates what the page's policy would refuse.
	if !Eval[bool](tab, "typeof axe === 'object'") {
		tab.do("load axe-core", chromedp.Steps(evaluate(tab.axe+"\n;true")))
	}
	return Eval[[]string](tab, `axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.flatMap((v) =>
		v.nodes.map((n) => v.id + ": " + v.help + ": " + n.html.slice(0, 200) + "\n  " + (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? ""))))`)
}

func evaluate(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool](text)(ctx, t)
		return err
	})
}

// Accessible fails the test for what axe-core finds in the page, in light and dark colours and on a phone, and if it is wider than that.
func (tab *Tab) Accessible() {
	tab.t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		tab.Scheme(scheme)
		for _, violation := range tab.Violations() {
			tab.t.Errorf("%s, %s: %s", tab.Path(), scheme, violation)
		}
	}
	tab.Phone()
	for _, violation := range tab.Violations() { // what has to be scrolled there, for one, has to be by keyboard, too
		tab.t.Errorf("%s, on a phone: %s", tab.Path(), violation)
	}
	tab.Desktop()
}
