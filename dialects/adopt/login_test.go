package adopt_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/profiles"
)

// TestLogin gives the old server's reply to a user whom it knows, byte for byte, and keeps the
// user: from then on nobody is asked.
func TestLogin(t *testing.T) {
	for profile, good := range goodReplies {
		w := newWorld(t, profile)
		w.answers(func(out http.ResponseWriter, _ *http.Request) {
			out.Header()["X-ODD-name"] = []string{"1"}
			out.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
			out.Header().Set("Content-Type", "application/json; charset=x")
			_, _ = io.WriteString(out, good)
		})
		e, _ := w.profile.Endpoint(profiles.Login)
		body, kind := `{"username": "ann", "password": "pä"}`, "application/json"
		if w.profile.Family == profiles.FormJSON {
			body, kind = "username=ann&password=p%C3%A4", "application/x-www-form-urlencoded"
		}
		reply, text := w.send(t, http.MethodPost, e.Path, body, "Content-Type", kind, "User-Agent", "app/1", "Accept-Language", "de", "Host", "mallory.example")
		if text != good || reply.StatusCode != http.StatusOK || reply.Header.Get("X-Odd-Name") != "1" || len(reply.Header["Set-Cookie"]) != 2 || reply.Header.Get("Content-Type") != "application/json; charset=x" {
			t.Errorf("%s: %d %s %v", profile, reply.StatusCode, text, reply.Header)
		}
		if took := w.took(); !slices.Equal(took, []string{"POST /old/login/?x=1"}) || w.header.Get("User-Agent") != "app/1" || w.header.Get("Accept-Language") != "de" || w.last.host != strings.TrimPrefix(w.oldURL, "http://") || w.header.Get("X-Forwarded-For") != "127.0.0.1" {
			t.Errorf("%s: the old server got %q, %v", profile, took, w.header)
		}
		if got := w.login(t, "ann", "pä"); !strings.HasPrefix(got, "200 ") || strings.Contains(got, oldToken) || len(w.took()) > 0 {
			t.Errorf("%s: a second login: %s", profile, got)
		}
		if w.counted("login good") != 1 {
			t.Errorf("%s: counted %v", profile, w.counts)
		}
		user, err := w.User(t.Context(), "ann")
		if err != nil || profile == "snippit" && (user.Email != "ann@example.org" || user.Attributes["first_name"] != "Ann" || user.Attributes["followers"] != "3") {
			t.Errorf("%s: %+v, %v", profile, user, err)
		}
	}
}

// TestLoginKeepsSpellings gives the old server's answer with the names of headers as they were.
func TestLoginKeepsSpellings(t *testing.T) {
	w := newWorld(t, "ocd-users")
	good := goodReplies["ocd-users"]
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(out).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-ODD-name: 1\r\nWWW-authenticate: x\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: %d\r\n\r\n%s", len(good), good)
	})
	body := `{"username": "ann", "password": "secret"}`
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/login/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"HTTP/1.1 200 OK\r\n", "\r\nX-ODD-name: 1\r\n", "\r\nWWW-authenticate: x\r\n", "\r\n\r\n" + good} {
		if !strings.Contains(string(answer), want) {
			t.Errorf("%q lacks %q", answer, want)
		}
	}
	for _, not := range []string{"X-Hop", "Content-Type"} {
		if strings.Contains(string(answer), not) {
			t.Errorf("%q has %s", answer, not)
		}
	}
}

// TestLoginRefused keeps nobody whom the old server does not vouch for, and tells the client so
// in the API's own words.
func TestLoginRefused(t *testing.T) {
	const unavailable = "503 "
	for profile, refusal := range ownRefusals {
		w, good := newWorld(t, profile), goodReplies[profile]
		for _, test := range []struct {
			status int
			body   string
			want   string
		}{
			{http.StatusBadRequest, `{"detail": "other words"}`, refusal},
			{http.StatusUnauthorized, "", refusal},
			{http.StatusForbidden, `"no"`, refusal},
			{http.StatusForbidden, "<html>", unavailable},
			{http.StatusBadRequest, "<h1>Bad Request (400)</h1>", unavailable},
			{http.StatusUnprocessableEntity, good, refusal},
			{http.StatusCreated, good, unavailable},
			{http.StatusOK, "", unavailable},
			{http.StatusOK, "<html>", unavailable},
			{http.StatusOK, "{}", unavailable},
			{http.StatusOK, strings.Replace(good, oldToken, "", 1), unavailable},
			{http.StatusOK, strings.Replace(good, `"`+oldToken+`"`, "null", 1), unavailable},
			{http.StatusOK, strings.Replace(good, "{", `{"more": 1, `, 1), unavailable},
			{http.StatusOK, good + strings.Repeat(" ", 64<<10), unavailable},
			{http.StatusMovedPermanently, good, unavailable},
			{http.StatusNotFound, "", unavailable},
			{http.StatusTooManyRequests, "", unavailable},
			{http.StatusInternalServerError, good, unavailable},
			{http.StatusServiceUnavailable, "", unavailable},
		} {
			w.says(test.status, test.body)
			if got := w.login(t, "ann", "secret"); !strings.HasPrefix(got, test.want) {
				t.Errorf("%s: to %d %.80s: %s, want %s", profile, test.status, test.body, got, test.want)
			}
			if w.knows(t, "ann") {
				t.Errorf("%s: to %d %.80s: kept", profile, test.status, test.body)
			}
		}
	}
	w := newWorld(t, "form-auth")
	w.says(http.StatusOK, `{"errors": {"__all__": ["Nein."]}, "token": null, "success": false}`)
	if got := w.login(t, "ann", "secret"); got != ownRefusals["form-auth"] || w.knows(t, "ann") || w.counted("login bad") != 1 {
		t.Errorf("a form with errors: %s, %v", got, w.counts)
	}
}

// TestLoginUnanswered answers 503 where the old server is away, silent, or breaks off.
func TestLoginUnanswered(t *testing.T) {
	w := newWorld(t, "ocd-users")
	good := goodReplies["ocd-users"]
	release := make(chan struct{})
	defer close(release)
	for name, answer := range map[string]func(out http.ResponseWriter, r *http.Request){
		"silent": func(http.ResponseWriter, *http.Request) { <-release },
		"half": func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Length", fmt.Sprint(len(good)+10))
			_, _ = io.WriteString(out, good)
			panic(http.ErrAbortHandler)
		},
		"endless": func(out http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(out, good)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(out, " "); err != nil {
					return
				}
				_ = http.NewResponseController(out).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		},
		"cut in the head": func(out http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(out).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-")
				_ = conn.Close()
			}
		},
		"interim": func(out http.ResponseWriter, _ *http.Request) {
			out.WriteHeader(http.StatusEarlyHints)
			panic(http.ErrAbortHandler)
		},
	} {
		w.answers(answer)
		if got := w.login(t, name, "secret"); !strings.HasPrefix(got, "503 ") || w.knows(t, name) {
			t.Errorf("%s: %s", name, got)
		}
		if took := w.took(); len(took) != 1 {
			t.Errorf("%s: asked %q", name, took)
		}
	}
	if w.counted("login unavailable") != 5 {
		t.Errorf("counted %v", w.counts)
	}
}

// TestLoginIsAskedAsItWasRead sends what two servers could read in two ways. The old server gets
// the name and the password that were read here, and nothing besides, so that nobody gets
// his own password kept for the name of another.
func TestLoginIsAskedAsItWasRead(t *testing.T) {
	const victim = `{"username": "victim", "password": "pw"}`
	utf16 := func(text string) string {
		var out strings.Builder
		for _, c := range text {
			out.WriteString(string([]byte{byte(c), 0}))
		}
		return out.String()
	}
	const multipart = "--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nmallory\r\n--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nvictim\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\npw\r\n--x--\r\n"
	form := "application/x-www-form-urlencoded"
	for i, test := range []struct{ profile, query, kind, body, want string }{
		{"ocd-users", "", "application/json", `{"username": "mallory", "username": "victim", "password": "pw"}`, victim},
		{"ocd-users", "", "application/json", `{"Username": "mallory", "username": "victim", "USERNAME": "mallory", "password": "pw"}`, victim},
		{"ocd-users", "", "application/json", `{"username": "victim", "password": "pw", "email": "mallory@example.org", "user": {"username": "mallory"}, "login": "mallory", "device": 1}`, victim},
		{"ocd-users", "", "application/json", `{"username": "\u0076ictim", "password": "pw"}`, victim},
		{"ocd-users", "", "application/json", `{"username": " victim ", "password": "pw"}`, victim},
		{"ocd-users", "", "application/json", `{"username": "v\u00ef\ud83d\ude00", "password": "p\u00e4w "}`, `{"username": "v\u00ef\ud83d\ude00", "password": "p\u00e4w "}`},
		{"ocd-users", "", "application/json", `{"username": 7, "password": 8}`, `{"username": "7", "password": "8"}`},
		{"ocd-users", "", "application/json; charset=utf-16-le", utf16(victim), victim},
		{"ocd-users", "", "application/json; charset=latin-1", "{\"username\": \"v\xef\", \"password\": \"pw\"}", `{"username": "v\u00ef", "password": "pw"}`},
		{"ocd-users", "?username=mallory&password=x&_method=PUT", "application/json", victim, victim},
		{"ocd-users", "", form, "username=mallory&username=victim&password=pw", victim},
		{"ocd-users", "?username=mallory", form, "username=victim&password=pw", victim},
		{"ocd-users", "", form, "username=victim&password=pw&_content_type=application/json&_content=%7B%22username%22%3A%22mallory%22%7D&_method=PUT", victim},
		{"ocd-users", "", form, "username=mallory;username=x&username=victim;&password=pw", `{"username": "victim;", "password": "pw"}`},
		{"ocd-users", "", "multipart/form-data; boundary=x", multipart, victim},
		{"authtokens", "", "text/plain", "{\"username\": \"mallory\", \"username\": \"victim\", \"password\": \"pw\"}", victim},
		{"authtokens", "", form, utf16(victim), victim},
		{"form-auth", "?username=mallory", form, "username=mallory&username=victim&password=pw&email=mallory", "username=victim&password=pw"},
		{"form-auth", "", "multipart/form-data; boundary=x", multipart, "username=victim&password=pw"},
		{"form-auth", "", form, "username=%20%EF%BD%96ictim%20&password=p%26w%3d+%C3%A4", "username=victim&password=p%26w%3D+%C3%A4"},
	} {
		w := newWorld(t, test.profile)
		good := strings.Replace(goodReplies[test.profile], `"ann"`, `"victim"`, 1)
		w.says(http.StatusOK, good)
		e, _ := w.profile.Endpoint(profiles.Login)
		reply, text := w.send(t, http.MethodPost, e.Path+test.query, test.body, "Content-Type", test.kind, "Content-Encoding", "identity", "Content-Language", "de",
			"Cookie", "sessionid=mallory", "Authorization", "Basic bWFsbG9yeTp4", "X-Http-Method-Override", "PUT", "X_HTTP_METHOD_OVERRIDE", "PUT", "Accept-Encoding", "gzip", "If-Match", "x", "Remote-User", "mallory", "SCRIPT_NAME", "/x",
			"X-Api-Key", "k", "X-Auth-Token", "mallory", "X-Forwarded-Host", "mallory.example", "Host", "mallory.example", "Accept", "text/html")
		if text != good {
			t.Errorf("%d: %d %s", i, reply.StatusCode, text)
			continue
		}
		kind := "application/json"
		if test.profile == "form-auth" {
			kind = form
		}
		if w.last.body != test.want || w.last.kind != kind || !slices.Equal(w.took(), []string{"POST /old/login/?x=1"}) {
			t.Errorf("%d: the old server got %q (%s), want %q", i, w.last.body, w.last.kind, test.want)
		}
		for name := range w.header {
			switch name {
			case "Accept", "Content-Type", "Content-Length", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "User-Agent":
			default:
				t.Errorf("%d: the old server got %s: %s", i, name, w.header[name])
			}
		}
		if own := strings.TrimPrefix(w.oldURL, "http://"); w.last.host != own || w.header.Get("X-Forwarded-Host") != own {
			t.Errorf("%d: the old server was asked as %q, %q", i, w.last.host, w.header.Get("X-Forwarded-Host"))
		}
		if w.knows(t, "mallory") {
			t.Errorf("%d: mallory is kept", i)
		}
	}
}

// TestLoginKeepsTheNameThatIsShown keeps the name that a reply shows, where the profile has one
// there, and that of the request elsewhere.
func TestLoginKeepsTheNameThatIsShown(t *testing.T) {
	w := newWorld(t, "authtokens")
	w.says(http.StatusOK, goodReplies["authtokens"])
	if got := w.login(t, "ann@example.org", "secret"); !strings.HasPrefix(got, "200 ") || w.knows(t, "ann@example.org") || !w.knows(t, "ann") {
		t.Errorf("%s", got)
	}
	if got := w.login(t, "ann", "secret"); !strings.HasPrefix(got, "200 ") || len(w.took()) != 1 {
		t.Errorf("the name that was kept: %s", got)
	}
	w = newWorld(t, "ocd-users")
	w.says(http.StatusOK, goodReplies["ocd-users"])
	if w.login(t, "ann@example.org", "secret"); !w.knows(t, "ann@example.org") {
		t.Error("the name of the request is not kept")
	}
}

// TestHost asks the old server under the name of the settings.
func TestHost(t *testing.T) {
	w := newWorldOf(t, "ocd-users", "api.example", rules...)
	w.says(http.StatusOK, goodReplies["ocd-users"])
	if got := w.login(t, "ann", "secret"); !strings.HasPrefix(got, "200 ") || w.last.host != "api.example" {
		t.Errorf("%s as %s", got, w.last.host)
	}
	w.says(http.StatusUnauthorized, "")
	if got := w.get(t, "/private/", "x"); !strings.HasPrefix(got, "401 ") || w.last.host != "api.example" {
		t.Errorf("%s as %s", got, w.last.host)
	}
}

// TestUntil asks nothing from a time on. Registrations stay the old application's: the names of
// those who were not adopted are not given away.
func TestUntil(t *testing.T) {
	w := newWorld(t, "ocd-users", front.Rule{Path: "/private/", Token: front.Needed})
	w.says(http.StatusOK, goodReplies["ocd-users"])
	register := func(name string) string {
		reply, text := w.send(t, http.MethodPost, "/api/register/", `{"username": "`+name+`", "password": "secret"}`, "Content-Type", "application/json")
		return fmt.Sprintf("%d %s", reply.StatusCode, text)
	}
	private := func() int {
		reply, _ := w.send(t, http.MethodGet, "/private/", "", "Authorization", "Token "+oldToken)
		return reply.StatusCode
	}
	if got := register("eve"); got != "200 "+goodReplies["ocd-users"] || w.knows(t, "eve") {
		t.Errorf("register: %s", got)
	}
	if got := w.login(t, "ann", "secret"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("login: %s", got)
	}
	if got := private(); got != http.StatusOK {
		t.Errorf("a token: %d", got)
	}
	if got, want := w.took(), []string{"POST /api/register/", "POST /old/login/?x=1", "GET " + probe, "GET /private/"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	w.pass(24 * time.Hour)
	if got := w.login(t, "bob", "secret"); got != ownRefusals["ocd-users"] {
		t.Errorf("login afterwards: %s", got)
	}
	if got := w.login(t, "ann", "secret"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("login of a user who was adopted: %s", got)
	}
	if got := private(); got != http.StatusUnauthorized {
		t.Errorf("a token afterwards: %d", got)
	}
	if got := w.took(); len(got) > 0 {
		t.Errorf("the old server got %q", got)
	}
	if got := register("eve"); got != "200 "+goodReplies["ocd-users"] || w.knows(t, "eve") {
		t.Errorf("register afterwards: %s", got)
	}
	if got, want := w.took(), []string{"POST /api/register/"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
