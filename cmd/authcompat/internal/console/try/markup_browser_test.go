package try_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
)

// TestBrowserShowsMarkupAsText has a server answer with markup in every place, and sends markup to it: in the browser, all of
// it is text, also once it is in the form, in the history and in the token in use.
func TestBrowserShowsMarkupAsText(t *testing.T) {
	browser := consoletest.Start(t)
	const markup = `</textarea></pre></code><script>window.hit=1</script><img src="/console/hit" onerror="window.hit=2"><a href="javascript:window.hit=3" id="hit">`
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Markup", markup)
		w.Header().Set("Location", "javascript:window.hit=4")
		w.WriteHeader(http.StatusFound)
		_, _ = fmt.Fprintf(w, `{"token":%q}`, markup)
	}))
	t.Cleanup(there.Close)
	tab := browser.Open(t, consoletest.Serve(t, console.Options{Mode: markup, Targets: []target.Target{{Name: "here" + markup, URL: there.URL}}}))
	tab.Go("/console/try/")
	for selector, text := range map[string]string{"#path": "/<script>", "#headers": "X-Sent: " + markup, "#body": markup} {
		consoletest.Eval[string](tab, fmt.Sprintf(`document.querySelector(%q).value = %q`, selector, text))
	}
	tab.Click("button.primary")
	tab.Wait("#result", markup)
	tab.Wait("#result", "It redirects to javascript:window.hit=4")
	if body := consoletest.Eval[string](tab, `document.querySelector("#body").value`); body != markup {
		t.Errorf("the body is %q", body)
	}
	for _, page := range []string{"", "/console/profiles/"} {
		if page != "" {
			tab.Go(page)
		}
		if n := tab.Count("#hit, img, script:not([src]), [href^=javascript], [onerror]"); n > 0 {
			t.Errorf("%s: %d elements of a server", page, n)
		}
		if hit := consoletest.Eval[string](tab, `String(window.hit)`); hit != "undefined" {
			t.Errorf("%s: a script of a server has run: %s", page, hit)
		}
	}
}
