package consoletest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
)

// TestPlanted has the browser tell of what is wrong with a page.
func TestPlanted(t *testing.T) {
	browser := consoletest.Start(t)
	const head = `<!doctype html><html lang="en"><head><title>t</title><link rel="icon" href="/icon"></head><body><main><h1>A heading</h1>`
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	for name, c := range map[string]struct {
		policy, page string
		problem      string // "": none
		violation    string // "": none
	}{
		"nothing":                 {policy, head, "", ""},
		"an inline script":        {policy, head + `<script>document.title = "run"</script>`, "violates the following Content Security Policy directive", ""},
		"an inline style":         {policy, head + `<p style="color: red">text</p>`, "violates the following Content Security Policy directive", ""},
		"markup from a script":    {policy, head + `<p id="p"></p><script src="/script"></script>`, "This document requires 'TrustedHTML' assignment", ""},
		"a request to elsewhere":  {policy, head + `<img alt="" src="http://127.0.0.1:9/image">`, "127.0.0.1:9/image", ""},
		"a policy that allows it": {policy + " 'none'", head, "Content-Security-Policy of ", ""},
		"no policy":               {"", head, "no Content-Security-Policy: ", ""},
		"a page that is large":    {policy, head + "<!--" + strings.Repeat("text", 25_000) + "-->", "page of more than 100000 bytes: ", ""},
		"a file that is missing":  {policy, head + `<script src="/missing"></script>`, "404", ""},
		"a missing label":         {policy, head + `<input name="a">`, "", "label: Form elements must have labels"},
		"a pale text":             {policy, head + `<link rel="stylesheet" href="/style"><p>text</p>`, "", "color-contrast: "},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			file := func(path, media, text string) {
				mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
					if c.policy != "" {
						w.Header().Set("Content-Security-Policy", c.policy)
					}
					w.Header().Set("Content-Type", media)
					_, _ = fmt.Fprint(w, text)
				})
			}
			file("/{$}", "text/html; charset=utf-8", c.page)
			file("/icon", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`)
			file("/script", "text/javascript", `document.getElementById("p").innerHTML = "<b>text</b>"`)
			file("/style", "text/css", `p { color: #ccc; background: #fff }`)
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)

			tab := browser.Open(t, server.URL+"/")
			if title := consoletest.Eval[string](tab, "document.title"); title != "t" {
				t.Errorf("the title is %q: a script has run", title)
			}
			mentions(t, tab.Problems(), c.problem)
			mentions(t, tab.Violations(), c.violation)
			tab.Problems() // those that axe-core adds where there is no policy to be held
		})
	}
}

// mentions fails the test unless what was found has a text, or, for "", is nothing.
func mentions(t *testing.T, found []string, text string) {
	t.Helper()
	if text == "" && len(found) > 0 || text != "" && !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, text) }) {
		t.Errorf("found %q, and not %q", found, text)
	}
}
