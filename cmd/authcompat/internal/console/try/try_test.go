package try

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/profiles"
)

// TestBytes sends what cannot be typed, as escapes, and shows it so.
func TestBytes(t *testing.T) {
	got := make(chan string, 1)
	there := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- fmt.Sprintf("%q %q %q", r.RequestURI, r.Header.Get("A"), body)
	}))
	defer there.Close()
	server := serve(t, relay.Options{}, target.Target{Name: "here", URL: there.URL})
	form := plain("POST", `/\xff`, "A: \\xfe\\\\", "a\r\n\\r\\n\\x00\\\\\\t")
	form.fields.Set("escapes", "on")
	shown := form.press(t, server, "send")
	if text := <-got; text != `"/\xff" "\xfe\\" "a\n\r\n\x00\\\t"` {
		t.Errorf("arrived %s", text)
	}
	if !strings.Contains(shown.text, `POST /\xff HTTP/1.1`) || shown.fields.Get("body") != "a\r\n\\r\\n\\x00\\\\\\t" || !shown.fields.Has("escapes") {
		t.Errorf("form %q, page %s", shown.fields, shown.text)
	}
	// Without the escapes, a backslash is one; a body that begins with a line end keeps it.
	plain("POST", "/", "A: \\xfe", "\r\n\\x00").press(t, server, "send")
	if text := <-got; text != `"/" "\\xfe" "\n\\x00"` {
		t.Errorf("arrived %s", text)
	}
	if again := plain("POST", "/", "", "\r\n\r\na").press(t, server, "send"); again.fields.Get("body") != "\r\n\r\na" {
		t.Errorf("the body is %q then", again.fields.Get("body"))
	}
	<-got
}

// TestToken uses the token of an answer in another example, forgets it, and fills in a request of the past.
func TestToken(t *testing.T) {
	there := targettest.Served(t, "ocd-users", inprocess.Options{})
	server := serve(t, relay.Options{}, there)
	page := open(t, server, url.Values{"target": {"ocd-users"}, "exchange": {loginOf(t, there)}}).press(t, server, "send")
	if !strings.Contains(page.text, "As documented.") {
		t.Fatal(page.text)
	}
	page = page.press(t, server, "use")
	authorization := page.fields.Get("headers")[strings.Index(page.fields.Get("headers"), "Authorization: "):]
	if len(authorization) < len("Authorization: Token ")+40 || !strings.Contains(page.text, "Token in use: "+strings.TrimPrefix(authorization, "Authorization: ")) {
		t.Fatalf("headers %q: %s", page.fields.Get("headers"), page.text)
	}
	logout, found := exampleOf(there.Profile, examplesOf(there), mustEndpoint(t, there, "logout"))
	if !found || logout.Status != 204 || logout.Step < 2 {
		t.Fatalf("logout is %+v", logout)
	}
	page.fields.Set("example", logout.Value())
	page = page.press(t, server, "load")
	if headers := page.fields.Get("headers"); !strings.Contains(headers, authorization) || strings.Contains(headers, "${") || page.fields.Has("before") {
		t.Fatalf("%s: headers %q: %s", logout.Value(), headers, page.text)
	}
	page = page.press(t, server, "send")
	if !strings.Contains(page.text, "As documented.") || !strings.Contains(page.text, "204 as documented") {
		t.Errorf("the logout: %s", page.text)
	}
	page = page.press(t, server, "send")
	if !strings.Contains(page.text, "Differs from what is documented") || !strings.Contains(page.text, "status is 401, want 204") {
		t.Errorf("the second logout: %s", page.text)
	}
	page = page.press(t, server, "forget")
	if strings.Contains(page.text, "Token in use") {
		t.Errorf("not forgotten: %s", page.text)
	}
	page = page.press(t, server, "restore 2")
	if page.fields.Get("path") != "/api/login/" || !strings.Contains(page.fields.Get("body"), "password") {
		t.Errorf("filled in again: %q", page.fields)
	}
	if page = page.press(t, server, "send"); !strings.Contains(page.text, "As documented.") {
		t.Errorf("sent again: %s", page.text)
	}
}

func loginOf(t *testing.T, there target.Target) string {
	t.Helper()
	x, found := exampleOf(there.Profile, examplesOf(there), mustEndpoint(t, there, "login"))
	if !found {
		t.Fatal("no example of a login")
	}
	return x.Exchange
}

// TestSteps goes from one step to the next by the page's buttons, and begins anew.
func TestSteps(t *testing.T) {
	server := serve(t, relay.Options{}, targettest.Served(t, "knox-auth", inprocess.Options{}))
	page := open(t, server, url.Values{"target": {"knox-auth"}, "exchange": {"logout: the token can no longer be used"}})
	run := page.fields.Get("body")
	for step := 1; step <= 4; step++ {
		if page = page.press(t, server, "send"); !strings.Contains(page.text, "As documented.") || strings.Contains(page.text, "Sent before") {
			t.Fatalf("step %d: %s", step, page.text)
		}
		if step < 4 {
			page = page.press(t, server, "next")
		}
	}
	if page = page.press(t, server, "anew"); page.fields.Get("body") == run || !page.fields.Has("before") {
		t.Errorf("anew: %q", page.fields)
	}
	// What comes before can be done by itself.
	page = open(t, server, url.Values{"target": {"knox-auth"}, "exchange": {"logout: the token can no longer be used"}, "step": {"2"}})
	if !strings.Contains(page.fields.Get("headers"), "Authorization: Token ${token}") || !strings.Contains(page.text, "send step 1 (POST /auth/login/)") {
		t.Errorf("step 2: %q: %s", page.fields.Get("headers"), page.text)
	}
	page.fields.Set("headers", page.fields.Get("headers")+"\r\nX-Own: ${token}")
	page = page.press(t, server, "before")
	if headers := page.fields.Get("headers"); strings.Contains(headers, "${token}") || len(headers) < 100 || page.fields.Has("before") || !strings.Contains(page.text, "Step 1: POST /auth/login/ → 200") {
		t.Errorf("headers %q: %s", headers, page.text)
	}
}

// TestEndpoints begins with a login at every profile, and fills in every endpoint by its name, with a request to its path.
func TestEndpoints(t *testing.T) {
	for _, name := range conformance.Profiles() {
		there := targettest.Served(t, name, inprocess.Options{})
		server := serve(t, relay.Options{}, there)
		find := dialects.NewFinder(there.Profile)
		first := open(t, server, nil).fields
		if who := find(&http.Request{Method: first.Get("method"), URL: &url.URL{Path: first.Get("path")}}); mustEndpoint(t, there, who.Endpoint).Action != profiles.Login {
			t.Errorf("%s begins with %s %s", name, first.Get("method"), first.Get("path"))
		}
		for _, e := range there.Profile.Endpoints {
			page := open(t, server, url.Values{"target": {name}, "endpoint": {e.Name}})
			path, _, _ := strings.Cut(page.fields.Get("path"), "?")
			method := page.fields.Get("method")
			who := find(&http.Request{Method: method, URL: &url.URL{Path: path}})
			if page.status != 200 || path != e.Path && who.Endpoint != e.Name || !e.Takes(method) {
				t.Errorf("%s, %s: status %d, %s %s", name, e.Name, page.status, method, path)
			}
		}
	}
	server := serve(t, relay.Options{}, targettest.Served(t, "knox", inprocess.Options{}))
	for query, status := range map[string]int{"endpoint=nothing": 404, "exchange=nothing": 404, "exchange=&step=99999": 200, "step=x": 200, "target=nothing": 403} {
		values, _ := url.ParseQuery(query)
		if got := open(t, server, values); got.status != status {
			t.Errorf("%s: status %d, want %d", query, got.status, status)
		}
	}
	if got := open(t, serve(t, relay.Options{}), nil); got.status != 200 || !strings.Contains(got.text, "no target was named") {
		t.Errorf("no target: status %d: %s", got.status, got.text)
	}
}

// An API of which only the exchange file is known, on a server that only the API leads to: the example says what it cannot
// do, and nobody is made without being asked for.
func TestForeignTarget(t *testing.T) {
	there := targettest.Served(t, "ocd-users", inprocess.Options{})
	there.Profile, there.State, there.Own = nil, nil, false
	server := serve(t, relay.Options{}, there)
	page := open(t, server, url.Values{"target": {"ocd-users"}, "exchange": {loginOfFile(there)}})
	if page.fields.Has("before") || !strings.Contains(page.text, "make the user ") {
		t.Errorf("%q: %s", page.fields, page.text)
	}
	page.fields.Set("before", "on")
	if page = page.press(t, server, "send"); !strings.Contains(page.text, "As documented.") || !strings.Contains(page.text, "A user: POST /api/register/ → 200") {
		t.Error(page.text)
	}
	// Its clock can't be moved, whatever a form asks for.
	page = open(t, server, url.Values{"target": {"ocd-users"}, "exchange": {"register: the token is as good as a login's, for 10 hours"}, "step": {"3"}})
	if !strings.Contains(page.text, "the clock of a running server cannot be moved") || strings.Contains(page.text, "Before it is sent") {
		t.Error(page.text)
	}
	page.fields.Set("before", "on")
	if page = page.press(t, server, "send"); page.status != 200 || !strings.Contains(page.text, "It went no further: the clock of a running server cannot be moved") {
		t.Errorf("status %d: %s", page.status, page.text)
	}
	// This one makes no users.
	there = targettest.Served(t, "knox-auth", inprocess.Options{})
	there.Profile, there.State, there.Own = nil, nil, false
	server = serve(t, relay.Options{}, there)
	page = open(t, server, url.Values{"target": {"knox-auth"}, "exchange": {"login: the documented example"}})
	if !strings.Contains(page.text, "users can’t be made here") && !strings.Contains(page.text, "users can't be made here") || !strings.Contains(page.fields.Get("body"), `"john"`) {
		t.Errorf("%q: %s", page.fields, page.text)
	}
}

func loginOfFile(there target.Target) string {
	for _, x := range examplesOf(there) {
		if x.Status == 200 && x.Path == "/api/login/" && x.Step == 1 {
			return x.Exchange
		}
	}
	return ""
}

// TestPast keeps the last eight requests, and of long ones that they were.
func TestPast(t *testing.T) {
	server := serve(t, relay.Options{}, speaker(t, "HTTP/1.1 204 No Content\r\n\r\n"))
	page := plain("GET", "/", "", "")
	for i := range 12 {
		page.fields.Set("path", "/"+strconv.Itoa(i))
		page.fields.Set("body", strings.Repeat("a", 300*i))
		page = page.press(t, server, "send")
	}
	if page.size > 100_000 || strings.Contains(page.text, "GET /3 here") || !strings.Contains(page.text, "GET /11 here 204 too long to keep") || !strings.Contains(page.text, "GET /6 here 204 Fill in") {
		t.Errorf("%d bytes: %s", page.size, page.text)
	}
	if again := page.press(t, server, "restore 0"); again.fields.Get("path") != "/11" {
		t.Errorf("one that is too long is filled in: %q", again.fields)
	}
}
