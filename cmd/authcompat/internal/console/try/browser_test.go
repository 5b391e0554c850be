package try_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
)

const profile = "knox-auth"

// launch serves the profile, with the user of its document.
func launch(t *testing.T, name string, around func(http.Handler) http.Handler) target.Target {
	t.Helper()
	there := targettest.Served(t, profile, inprocess.Options{Around: around})
	there.Name, there.Users = name, []conformance.User{{Username: "john", Password: "password"}}
	if err := there.State.CreateUser(t.Context(), there.Users[0]); err != nil {
		t.Fatal(err)
	}
	return there
}

// TestBrowser logs in with a click, uses the token, logs out, and sees how another server differs.
func TestBrowser(t *testing.T) {
	browser := consoletest.Start(t)
	tab := browser.Open(t, consoletest.Serve(t, console.Options{Targets: []target.Target{launch(t, "ours", nil), launch(t, "old", targettest.Misspelled)}}))
	headers := func() string { return consoletest.Eval[string](tab, `document.querySelector("#headers").value`) }

	tab.Go("/console/try/?" + url.Values{"target": {"ours"}, "exchange": {"login: the documented example"}}.Encode())
	if body := consoletest.Eval[string](tab, `document.querySelector("#body").value`); !strings.Contains(body, `"username": "john"`) {
		t.Errorf("the example is filled in as %s", body)
	}
	tab.Click("button.primary")
	tab.Wait("#result", "As documented.")
	tab.Wait("#result", `{"expiry":null,"token":"<hex40>"}`)
	tab.Wait("#result", "HTTP/1.1 200 OK")
	tab.Screenshot("try-answer")
	tab.Phone()
	tab.Screenshot("try-answer-phone")
	tab.Desktop()

	tab.Click(`button[value="use"]`)
	tab.Wait("#request", "Token in use: Token ")
	_, token, _ := strings.Cut(headers(), "Authorization: ")
	if !strings.HasPrefix(token, "Token ") || len(token) != len("Token ")+40 {
		t.Errorf("the headers are %q", headers())
	}
	tab.Choose("#example", "2 logout: the token can no longer be used")
	tab.Click(`button[value="load"]`)
	tab.Wait("#request", "Step 2 of ")
	if !strings.Contains(headers(), "Authorization: "+token) {
		t.Errorf("the headers are %q, and the token in use %q", headers(), token)
	}
	tab.Click("button.primary")
	tab.Wait("section tbody tr:nth-child(2)", "as documented")
	tab.Wait("#result", "As documented.")
	tab.Click("button.primary")
	tab.Wait("#result", "Differs from what is documented")
	tab.Wait("#result", "status is 401, want 200")
	tab.Accessible()

	tab.Go("/console/try/?" + url.Values{"target": {"ours"}, "exchange": {"login: expiry is always null, and a token lives on"}, "step": {"3"}}.Encode())
	tab.Wait("fieldset", "move the clock on by 3650 days")
	tab.Accessible()
	tab.Screenshot("try-example")
	tab.Go("/console/try/?" + url.Values{"target": {"old"}, "exchange": {"login: a wrong password"}}.Encode())
	tab.Click("button.primary")
	tab.Wait("#result", "Differs from what is documented: 1 difference.")
	tab.Wait(".diff .want", `documented: − {"non_field_errors":["Unable to log in with provided credentials."]}`)
	tab.Wait(".diff .got", `received: + {"non_field_errors":["Unable to log in with provided Credentials."]}`)
	if marked := tab.Text(".diff .got mark"); marked != "C" {
		t.Errorf("marked is %q", marked)
	}
	tab.Accessible()
	tab.Screenshot("try-difference")
	tab.Scheme("dark")
	tab.Screenshot("try-difference-dark")

	// By keyboard, and without scripts.
	for _, scripts := range []bool{false, true} {
		tab.Scripts(scripts)
		tab.Go("/console/try/?" + url.Values{"target": {"ours"}, "exchange": {"login: the documented example"}}.Encode())
		consoletest.Eval[bool](tab, `(document.querySelector("#method").focus(), true)`)
		tab.Press("\t")
		if focused := consoletest.Eval[string](tab, "document.activeElement.id"); focused != "path" {
			t.Errorf("after the method comes %q", focused)
		}
		tab.Press("\r")
		tab.Wait("#result", "As documented.")
		if has := tab.Count("[data-copy]") > 0; has != scripts {
			t.Errorf("scripts %v: there is a button to copy: %v", scripts, has)
		}
	}
}
