package try_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/consoletest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

const profile = "knox-auth"

// launch serves the profile, with the user of its document.
func launch(t *testing.T, name string, around func(http.Handler) http.Handler) target.Target {
	t.Helper()
	p, err := profiles.Load(profile)
	if err != nil {
		t.Fatal(err)
	}
	file, err := conformance.Builtin(profile)
	if err != nil {
		t.Fatal(err)
	}
	launcher := inprocess.NewLauncher([]*profiles.Profile{p}, store.NewTemps(""))
	launcher.Around = around
	server, err := launcher.Launch(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	john := conformance.User{Username: "john", Password: "password"}
	if err := server.State.CreateUser(t.Context(), john); err != nil {
		t.Fatal(err)
	}
	return target.Target{Name: name, URL: server.URL, Profile: p, Exchanges: file, Own: true, State: server.State, Users: []conformance.User{john}}
}

// A misspeller answers with one letter in another case.
type misspeller struct{ http.ResponseWriter }

func (m misspeller) Write(b []byte) (int, error) {
	return m.ResponseWriter.Write(bytes.ReplaceAll(b, []byte("credentials"), []byte("Credentials")))
}

// TestBrowser logs in with a click, uses the token, logs out, and sees how another server differs.
func TestBrowser(t *testing.T) {
	browser := consoletest.Start(t)
	key := guard.NewKey()
	handler, err := console.New(t.Context(), console.Options{Key: key, Hosts: []string{"127.0.0.1"}, Mode: "a test", Targets: []target.Target{
		launch(t, "ours", nil),
		launch(t, "old", func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(misspeller{w}, r) })
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	tab := browser.Open(t, guard.URL(server.Listener.Addr().String(), key))
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
