package try

import (
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/relay"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/conformance/wire/wiretest"
)

// speaker serves a text to every connection, whatever it says.
func speaker(t testing.TB, text string) target.Target {
	t.Helper()
	url, _ := wiretest.Serve(t, text)
	return target.Target{Name: "here", URL: url}
}

// plain is what the form of a plain request sends.
func plain(method, path, headers, body string) *sheet {
	return &sheet{fields: url.Values{"target": {"here"}, "method": {method}, "path": {path}, "headers": {headers}, "body": {body}}}
}

// TestHostileResponses shows what a server sends as text, whatever it is, on a page of a bounded size.
func TestHostileResponses(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
	for name, test := range map[string]struct{ response, shows string }{
		"markup":           {"HTTP/1.1 200 <script>alert(1)</script>\r\nX-<b>A</b>: </pre><img src=x>\r\n\r\n</textarea></pre><script>alert(2)</script>", "</textarea></pre><script>alert(2)</script>"},
		"NUL and controls": {head + "a\x00b\x1b[31m\x7f\u202e", `a\x00b\x1b[31m\x7f\xe2\x80\xae`},
		"no UTF-8":         {head + "a\xff\xfeb", `a\xff\xfeb`},
		"CR":               {head + "a\r\nb\rc", `a\r b\rc`},
		"a redirect":       {"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/<b>\r\n\r\n", "It redirects to http://192.0.2.1/<b> , which is not followed."},
		"an endless header": {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("<", 80<<10),
			"No answer. What came is no HTTP response: the response's head is over 65536 bytes"},
		"endless headers": {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: \"\r\n", 20<<10),
			"No answer. What came is no HTTP response: the response's head is over 65536 bytes"},
		"endless responses": {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 9<<10),
			"No answer. What came is no HTTP response: the response's head is over 65536 bytes"},
		"a body of quotes":  {head + strings.Repeat(`"`, 1<<20), "bytes more are not shown."},
		"a body of NULs":    {head + strings.Repeat("\x00", 1<<20), "bytes more are not shown."},
		"more than 4 MiB":   {head + strings.Repeat("a", 5<<20), "The body is longer than 4 MiB: the rest was not read."},
		"no HTTP":           {"220 mail.example ESMTP\r\n", "What came is no HTTP response"},
		"nothing":           {"", "No answer. What came is no HTTP response: the connection ended before a whole response"},
		"half of a body":    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "No answer. What came is no HTTP response: the connection ended before a whole response"},
		"a markup token":    {head + `{"token":"</code><script>alert(3)</script>aaaaaaaaaaaaaaaaaaaa"}`, "</code><script>alert(3)</script>"},
		"a length of words": {"HTTP/1.1 200 OK\r\nContent-Length: \x1b[31m\r\n\r\n", `Content-Length "\x1b[31m" is not a length`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, relay.Options{}, speaker(t, test.response))
			got := plain("GET", "/", "", "").press(t, server, "send")
			if got.status != 200 || !strings.Contains(got.text, test.shows) {
				t.Errorf("status %d: %.3000s", got.status, got.text)
			}
			if got.size > 100_000 {
				t.Errorf("the page has %d bytes", got.size)
			}
			if strings.Contains(got.source, "<script>alert") || strings.Contains(got.source, "<img") || strings.Contains(got.source, "<b>") || strings.ContainsAny(got.source, "\x00\x1b\x7f") {
				t.Errorf("markup or control characters of the server are in the page:\n%.3000s", got.source)
			}
		})
	}
}

// TestRefused has the page say what is not sent, and send nothing.
func TestRefused(t *testing.T) {
	var seen atomic.Int64
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer there.Close()
	server := serve(t, relay.Options{}, target.Target{Name: "here", URL: there.URL})
	escapes := func(s *sheet) *sheet { s.fields.Set("escapes", "on"); return s }
	elsewhere := plain("GET", "/", "", "")
	elsewhere.fields.Set("target", there.URL)
	for name, test := range map[string]struct {
		form   *sheet
		status int
		says   string
	}{
		"another target":         {elsewhere, 403, "only the servers that were named at the start can be reached"},
		"an absolute target":     {plain("GET", there.URL, "", ""), 403, "the path has to begin with a slash"},
		"a line end in a path":   {plain("GET", "/ HTTP/1.1\r\nHost: x\r\n\r\nGET /", "", ""), 403, "the path has a blank or a control character"},
		"an escaped one":         {escapes(plain("GET", `/\r\nA:b`, "", "")), 403, "the path has a blank or a control character"},
		"a line end in a method": {plain("GET / HTTP/1.1\r\n\r\nGET", "/", "", ""), 403, "the method is no method"},
		"a name with a blank":    {plain("GET", "/", "A b: c", ""), 403, "header line 1 has no name"},
		"a line end in a value":  {escapes(plain("GET", "/", `A: b\r\n\r\nGET / HTTP/1.1`, "")), 403, "the value of header line 1 has a line end"},
		"chunks":                 {plain("POST", "/", "Transfer-Encoding: chunked", "0\r\n\r\nGET / HTTP/1.1\r\n\r\n"), 403, "Transfer-Encoding is not sent"},
		"a short length":         {plain("POST", "/", "Content-Length: 0", "GET / HTTP/1.1"), 403, "Content-Length has to stand once"},
		"a line without a colon": {plain("GET", "/", "A", ""), 400, "header line 1 has no colon"},
		"a wrong escape":         {escapes(plain("GET", "/", "", `\q`)), 400, `body: a backslash before "q"`},
		"half an escape":         {escapes(plain("GET", "/", "", `\xf`)), 400, "body: a backslash before"},
		"a long body":            {plain("POST", "/", "", strings.Repeat("a", 1<<20+1)), 413, "the body has more than 1048576 bytes"},
	} {
		got := test.form.press(t, server, "send")
		if got.status != test.status || !strings.Contains(got.text, test.says) || got.size > 100_000 {
			t.Errorf("%s: status %d, %d bytes: %.600s", name, got.status, got.size, got.text)
		}
	}
	if n := seen.Load(); n > 0 {
		t.Errorf("%d requests arrived", n)
	}
	if got := plain("POST", "/", "", strings.Repeat("a", 1<<20)).press(t, server, "send"); got.status != 200 || seen.Load() != 1 || !strings.Contains(got.text, "The body of 1048576 bytes is too long to be shown here again.") {
		t.Errorf("a body of 1 MiB: status %d, %d arrived: %.600s", got.status, seen.Load(), got.text)
	}
	if got := open(t, server, url.Values{"target": {"http://192.0.2.1/"}}); got.status != 403 {
		t.Errorf("another target in the query: status %d", got.status)
	}
}

// What steps of an exchange have captured comes back from the page: it cannot make a second request of one either.
func TestRefusedOfAMemory(t *testing.T) {
	there := targettest.Served(t, "knox-auth", inprocess.Options{})
	server := serve(t, relay.Options{}, there)
	for _, do := range []string{"send", "before"} {
		state := `{"exchange":"logout: the token can no longer be used","step":3,"known":{"run":"abc123","done":1,"ready":1,"captures":{"token":"a\r\n\r\nGET /second HTTP/1.1"}}}`
		form := plain("POST", "/auth/logout/", "", "")
		form.fields.Set("target", "knox-auth")
		form.fields.Set("before", "on")
		form.fields.Set("state", base64.RawURLEncoding.EncodeToString([]byte(state)))
		if got := form.press(t, server, do); !strings.Contains(got.text, "It went no further: the value of header line 2 has a line end or a NUL") {
			t.Errorf("%s: %.2000s", do, got.text)
		}
	}
}

// TestNinthRequest has eight requests wait for their answer.
func TestNinthRequest(t *testing.T) {
	arrived, release := make(chan bool, relay.MaxParallel), make(chan struct{})
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- true; <-release }))
	defer there.Close()
	server := serve(t, relay.Options{}, target.Target{Name: "here", URL: there.URL})
	done := make(chan int)
	for range relay.MaxParallel {
		go func() {
			form := plain("GET", "/", "", "").fields
			form.Set("do", "send")
			response, err := http.PostForm(server.URL+path, form)
			if err != nil {
				done <- 0
				return
			}
			response.Body.Close()
			done <- response.StatusCode
		}()
		<-arrived
	}
	if got := plain("GET", "/", "", "").press(t, server, "send"); got.status != 429 || !strings.Contains(got.text, "8 requests are under way already.") {
		t.Errorf("a ninth: status %d: %.600s", got.status, got.text)
	}
	close(release)
	for range relay.MaxParallel {
		if status := <-done; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	if got := plain("GET", "/", "", "").press(t, server, "send"); got.status != 200 {
		t.Errorf("afterwards: status %d", got.status)
	}
}

// TestAnyForm sends forms that the console has not made. Whatever they are, the answer is a page.
func TestAnyForm(t *testing.T) {
	foreign := targettest.Served(t, "ocd-users", inprocess.Options{})
	foreign.State, foreign.Own, foreign.Profile = nil, false, nil
	server := serve(t, relay.Options{Timeout: time.Second}, foreign, targettest.Served(t, "knox-auth", inprocess.Options{}), speaker(t, "HTTP/1.1 200 OK\r\n\r\n{\"token\":\"aaaaaaaaaaaaaaaaaaaa\"}"))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(some ...string) string { return some[random.IntN(len(some))] }
	state := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for range 600 {
		form := url.Values{
			"do":      {pick("send", "before", "load", "next", "anew", "use", "forget", "restore 0", "restore -1", "restore x", "restore", "", "nothing")},
			"target":  {pick("here", "knox-auth", "knox-auth", "ocd-users", "ocd-users", "", "nowhere", "http://127.0.0.1/")},
			"method":  {pick("GET", "POST", "", "\x00", "CONNECT", strings.Repeat("A", 50))},
			"path":    {pick("/", "/auth/login/", "", "//", "http://x/", "/\xff", "/${token}", "*")},
			"headers": {pick("", "A: b", "A", ":", "\n\n", "Authorization: Token ${token}", "A: \\xff", "\xff: \xff")},
			"body":    {pick("", "{}", "\\", "\\x", "\xff\x00", strings.Repeat("\"", 30_000))},
			"example": {pick("", "1", "x", "99 login: the documented example", "-1 login: the documented example", "1 login: the documented example", "2 logout: the token can no longer be used")},
			"state": {pick("", "x", "====", state("{}"), state("null"), state("[]"), state(`{"step":-1,"exchange":"login: the documented example"}`), state(`{"past":[{},{}]}`),
				state(`{"step":2,"exchange":"logout: the token can no longer be used","known":{"run":"abcdef","done":99,"ready":-7,"captures":{"token":""}}}`),
				state(`{"step":2,"exchange":"logout: the token can no longer be used","known":{"run":"../..","done":1}}`),
				state(`{"step":3,"exchange":"register: the token is as good as a login's, for 10 hours"}`),
				state(`{"step":4,"exchange":"logout: the token can no longer be used","token":"Token x","answer":"y"}`), strings.Repeat("A", 70<<10))},
		}
		for _, box := range []string{"escapes", "whole", "before"} {
			if random.IntN(2) == 0 {
				form.Set(box, "on")
			}
		}
		response, err := http.PostForm(server.URL+path, form)
		if err != nil {
			t.Fatalf("%q: %v", form, err)
		}
		page := read(t, response, nil)
		if page.status >= 500 || page.size > 100_000 || !strings.Contains(page.source, "</html>") {
			t.Errorf("status %d, %d bytes: %.1000q", page.status, page.size, form.Encode())
		}
	}
	for _, body := range []string{"%", "a=%zz", strings.Repeat("a", 9<<20), "do=send;x"} {
		response, err := http.Post(server.URL+path, "application/x-www-form-urlencoded", strings.NewReader(body))
		if page := read(t, response, err); page.status < 400 || page.status >= 500 {
			t.Errorf("%.20q: status %d", body, page.status)
		}
	}
}

// FuzzEscape holds that every text comes back from its escapes, which can be typed.
func FuzzEscape(f *testing.F) {
	f.Add("a\\b\r\n\x00\xff\u2028é")
	f.Fuzz(func(t *testing.T, text string) {
		typed := escape(text)
		if needsEscapes(typed) {
			t.Errorf("%q can't be typed", typed)
		}
		if back, err := unescape(typed); err != nil || back != text {
			t.Errorf("%q, escaped %q, comes back as %q, %v", text, typed, back, err)
		}
	})
}
