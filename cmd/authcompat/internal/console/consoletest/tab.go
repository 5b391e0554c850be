package consoletest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The windows that pages are looked at in, in CSS pixels.
const (
	wide   = 1280
	narrow = 360
	height = 900
)

// A Tab is a page in a browser, with the person who looks at it. Its methods fail the test where
// something can't be done.
type Tab struct {
	t      *testing.T
	ctx    context.Context
	axe    string
	origin string
	seen   *observer
}

// Open opens a tab at a URL: that with a console's key. When the test ends, what the browser has found wrong with
// the pages that the tab came by fails it.
func (b *Browser) Open(t *testing.T, address string) *Tab {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	tab := &Tab{t: t, axe: b.axe, origin: u.Scheme + "://" + u.Host}
	tab.seen = &observer{origin: tab.origin}
	ctx, end := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.seen.event))
	tab.ctx = ctx
	t.Cleanup(end)
	t.Cleanup(tab.check)
	// Without a time limit: the tab lives as long as the context of its first step.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	tab.do("open the console", chromedp.EmulateViewport(wide, height), chromedp.Navigate(address))
	return tab
}

// do takes steps. what is in the failure of one that could not be taken, beside what the page shows then.
func (tab *Tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("%s: %v\nat %s", what, err, tab.where())
	}
}

// ask returns what an action does.
func ask[T any](tab *Tab, what string, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.t.Fatalf("%s: %v\nat %s", what, err, tab.where())
	}
	return value
}

// where is where the tab is, for failures.
func (tab *Tab) where() string {
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + "\n" + document.body?.innerText`))
	if err != nil {
		return "an unknown place: " + err.Error()
	}
	return text
}

// Go goes to a path of the console.
func (tab *Tab) Go(path string) {
	tab.t.Helper()
	tab.do("go to "+path, chromedp.Navigate(tab.origin+path))
}

// Reload loads the page again.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.do("reload", chromedp.Reload())
}

// Path returns the path and query at which the tab is.
func (tab *Tab) Path() string {
	tab.t.Helper()
	return Eval[string](tab, "location.pathname + location.search")
}

// Click clicks the first element that a CSS selector finds, once it is visible.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Fill replaces what is in an input, as typing does.
func (tab *Tab) Fill(selector, text string) {
	tab.t.Helper()
	tab.do("fill in "+selector, chromedp.Clear(chromedp.CSS(selector), chromedp.NodeVisible), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Choose chooses the option of a select by its value.
func (tab *Tab) Choose(selector, value string) {
	tab.t.Helper()
	if !Eval[bool](tab, `(() => { const s = document.querySelector(`+strconv.Quote(selector)+`); s.value = `+strconv.Quote(value)+`;
		s.dispatchEvent(new Event("change", {bubbles: true})); return s.value === `+strconv.Quote(value)+` })()`) {
		tab.t.Fatalf("%s has no option %q", selector, value)
	}
}

// Press presses keys, as those of package kb, wherever the focus is.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.do("press a key", chromedp.KeyEvent(keys))
}

// Wait waits until an element shows a text, on this page or one that it leads to, and the page has its style sheet.
func (tab *Tab) Wait(selector, text string) {
	tab.t.Helper()
	shows := chromedp.Evaluate[bool](`document.readyState === "complete" && [...document.querySelectorAll(` + strconv.Quote(selector) + `)].some((e) => e.checkVisibility() && e.textContent.includes(` + strconv.Quote(text) + `))`)
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	for {
		// Between two pages there is nothing to be asked.
		if there, err := chromedp.Run(ctx, shows); err == nil && there {
			return
		}
		if chromedp.Do(ctx, chromedp.Sleep(pollInterval)) != nil {
			tab.t.Fatalf("%s does not show %q\nat %s", selector, text, tab.where())
		}
	}
}

// Text returns the text that the first element that a selector finds shows.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return strings.TrimSpace(ask(tab, "read "+selector, chromedp.Text(chromedp.CSS(selector))))
}

// Count returns how many visible elements a selector finds.
func (tab *Tab) Count(selector string) int {
	tab.t.Helper()
	return Eval[int](tab, `[...document.querySelectorAll(`+strconv.Quote(selector)+`)].filter((e) => e.checkVisibility()).length`)
}

// Eval returns the value of an expression of JavaScript, or what its promise comes to.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	return ask(tab, "evaluate", chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Phone makes the window as wide as that of a small phone.
func (tab *Tab) Phone() {
	tab.t.Helper()
	tab.do("be a phone", chromedp.EmulateViewport(narrow, height))
	if over := Eval[int](tab, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		tab.t.Errorf("%s is %d pixels wider than a phone: %s", tab.Path(), over, Eval[string](tab, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 100)).join("\n")`))
	}
}

// Desktop makes the window as wide as it was.
func (tab *Tab) Desktop() {
	tab.t.Helper()
	tab.do("be no phone", chromedp.EmulateViewport(wide, height))
}

// Scheme sets the colour scheme: light or dark.
func (tab *Tab) Scheme(scheme string) {
	tab.t.Helper()
	tab.do("be "+scheme, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// Scripts lets pages that are loaded from now on have scripts, or not. At the end of a test they have to: Problems waits in one.
func (tab *Tab) Scripts(on bool) {
	tab.t.Helper()
	tab.do("switch scripts", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// screenshotsVariable names the folder for screenshots, which make screenshots looks through.
const screenshotsVariable = "AUTHCOMPAT_TEST_SCREENSHOTS"

// Screenshot writes what the tab shows, the whole page at most 2000 pixels high, to NAME.png in the folder for
// screenshots, if one is asked for.
func (tab *Tab) Screenshot(name string) {
	tab.t.Helper()
	folder := os.Getenv(screenshotsVariable)
	if folder == "" {
		return
	}
	tall := min(2000, max(height, Eval[int64](tab, "(scrollTo(0, 0), document.documentElement.scrollHeight)")))
	width := Eval[int64](tab, "innerWidth")
	tab.do("grow", chromedp.EmulateViewport(width, tall))
	image := ask(tab, "take a screenshot", chromedp.CaptureScreenshot())
	tab.do("shrink", chromedp.EmulateViewport(width, height))
	if err := os.WriteFile(filepath.Join(folder, name+".png"), image, 0o644); err != nil {
		tab.t.Error(err)
	}
}
