package console_test

import (
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
)

// TestBrowser looks at a console in a browser.
func TestBrowser(t *testing.T) {
	browser := consoletest.Start(t)
	t.Run("pages", func(t *testing.T) {
		tab := browser.Open(t, address(t))
		if got, want := tab.Path(), "/console/profiles/"; got != want {
			t.Errorf("the key leads to %s, not %s", got, want)
		}
		for _, path := range paths() {
			tab.Go(path)
			t.Logf("%s: first paint after %.0f ms", path, tab.FirstPaint())
			tab.Accessible()
			name, _ := strings.CutPrefix(strings.TrimSuffix(path, "/"), "/console/")
			tab.Screenshot("view-" + name)
		}
	})
	t.Run("session", func(t *testing.T) { testSession(t, browser) })
	t.Run("keyboard", func(t *testing.T) { testKeyboard(t, browser) })
}

// testSession logs out, is locked out, and comes back with the key.
func testSession(t *testing.T, browser *consoletest.Browser) {
	url := address(t)
	_, key, _ := strings.Cut(url, "key=")
	tab := browser.Open(t, url)
	if history := consoletest.Eval[string](tab, "location.href + document.referrer + document.cookie"); strings.Contains(history, key) || strings.Contains(history, "authcompat_console") {
		t.Errorf("the page can read %s", history)
	}
	tab.Click(".logout button")
	tab.Wait("h1", "This console is locked")
	tab.Accessible()
	tab.Go("/console/try/")
	tab.Wait("h1", "This console is locked")
	tab.Fill("#key", "wrong")
	tab.Click("button")
	tab.Wait("main p", "That is not the key of this console.")
	for _, problem := range tab.Problems() {
		if !strings.Contains(problem, "status of 401") {
			t.Error(problem)
		}
	}
	tab.Fill("#key", key)
	tab.Click("button")
	tab.Wait("nav a[aria-current]", "Profiles")
	if path := tab.Path(); path != "/console/profiles/" {
		t.Errorf("the key leads to %s", path)
	}
}

// testKeyboard goes past the navigation, and through it, without a mouse.
func testKeyboard(t *testing.T, browser *consoletest.Browser) {
	tab := browser.Open(t, address(t))
	focused := func() string {
		return consoletest.Eval[string](tab, "document.activeElement.textContent.trim().slice(0, 40)")
	}
	tab.Press("\t")
	if got := focused(); got != "Skip to the content" {
		t.Errorf("first comes %q", got)
	}
	if !consoletest.Eval[bool](tab, "document.activeElement.getBoundingClientRect().top >= 0") {
		t.Error("the link to the content is focused and can't be seen")
	}
	tab.Press("\r")
	if got := consoletest.Eval[string](tab, "document.activeElement.id"); got != "main" {
		t.Errorf("it leads to %q", got)
	}
	tab.Reload()
	for _, want := range []string{"Skip to the content", "authcompat", "Profiles", "Try", "Suite"} {
		tab.Press("\t")
		if got := focused(); got != want {
			t.Errorf("%q comes before %q", got, want)
		}
	}
	if width := consoletest.Eval[string](tab, "getComputedStyle(document.activeElement).outlineWidth"); width != "2px" {
		t.Errorf("the focus is %s wide", width)
	}
	tab.Press("\r")
	tab.Wait("nav a[aria-current]", "Suite")
}
