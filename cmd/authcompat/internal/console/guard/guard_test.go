package guard_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/guard"
)

const (
	own    = "127.0.0.1:8081"
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

// A door is a guarded handler that answers 200, with its key and clock.
type door struct {
	http.Handler
	key string
	now time.Time
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{key: guard.NewKey(), now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	hosts := guard.Hosts(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}, []string{"Admin.example.org", "[2001:DB8::1]"})
	g := guard.New(guard.Options{Key: d.key, Hosts: hosts, Now: func() time.Time { return d.now }})
	d.Handler = g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "inside: %v", err)
	}))
	return d
}

// ask sends a request with these headers, as "Name: value".
func (d *door) ask(method, target, host string, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://"+own+target, strings.NewReader(body))
	r.Host = host
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result()
}

// enter shows the key, and returns the header with the cookie of the session.
func (d *door) enter(t *testing.T) string {
	t.Helper()
	res := d.ask("GET", "/console/?key="+d.key, own, "")
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) != 1 {
		t.Fatalf("the key: %s, %v", res.Status, res.Header)
	}
	c := res.Cookies()[0]
	return "Cookie: " + c.Name + "=" + c.Value
}

func (d *door) status(t *testing.T, want int, method, target, host string, headers ...string) {
	t.Helper()
	if res := d.ask(method, target, host, "", headers...); res.StatusCode != want {
		t.Errorf("%s %s at %q with %q: status %d, want %d", method, target, host, headers, res.StatusCode, want)
	}
}

// TestHost lets only those requests through whose Host is a name of the console, whatever else they have.
func TestHost(t *testing.T) {
	d := newDoor(t)
	session := d.enter(t)
	for _, host := range []string{
		"127.0.0.1", "127.0.0.1:8081", "127.0.0.1:1", "localhost", "LocalHost:9000", "[::1]", "[::1]:8081", "[0:0::1]:80", "admin.example.org", "ADMIN.example.org:443", "[2001:db8::1]",
	} {
		d.status(t, http.StatusOK, "GET", "/console/x", host, session)
	}
	for _, host := range []string{
		"", "evil.example", "127.0.0.1.evil.example", "evil.example:8081", "localhost.evil.example", "evil-localhost", "localhost.", "127.0.0.2", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "[::]", "::1", "[::1", "[::1]x",
		"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:80:80", "127.0.0.1:+80", "user@127.0.0.1", "127.0.0.1@evil.example", "[::1%25lo]", "example.org", "sub.admin.example.org", ":8081", "127.0.0.1/", " 127.0.0.1",
	} {
		d.status(t, http.StatusForbidden, "GET", "/console/x", host, session)
		d.status(t, http.StatusForbidden, "GET", "/console/?key="+d.key, host)
		d.status(t, http.StatusForbidden, "GET", "/console/static/console.css", host)
	}
}

// TestHosts has consoles be known under the names of their listeners.
func TestHosts(t *testing.T) {
	for at, want := range map[string][]string{
		"127.0.0.1":   {"127.0.0.1", "::1", "localhost"},
		"127.0.0.9":   {"127.0.0.1", "127.0.0.9", "::1", "localhost"},
		"::1":         {"127.0.0.1", "::1", "localhost"},
		"0.0.0.0":     {"127.0.0.1", "::1", "localhost"},
		"::":          {"127.0.0.1", "::1", "localhost"},
		"192.0.2.7":   {"192.0.2.7"},
		"2001:db8::7": {"2001:db8::7"},
	} {
		if diff := cmp.Diff(want, guard.Hosts(&net.TCPAddr{IP: net.ParseIP(at), Port: 80}, nil)); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", at, diff)
		}
	}
}

// TestOrigin refuses what comes from pages of others, right key and session notwithstanding.
func TestOrigin(t *testing.T) {
	d := newDoor(t)
	session := d.enter(t)
	for _, headers := range [][]string{
		nil,
		{"Origin: http://127.0.0.1:8081"},
		{"Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:8081"},
		{"Sec-Fetch-Site: none"},
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			d.status(t, http.StatusOK, method, "/console/x", own, append(headers, session)...)
		}
	}
	for _, headers := range [][]string{
		{"Origin: http://evil.example"},
		{"Origin: http://evil.example:8081"},
		{"Origin: http://127.0.0.1:9999"}, // another program on this machine
		{"Origin: http://127.0.0.1"},
		{"Origin: http://localhost:8081"},
		{"Origin: null"},
		{"Origin: "},
		{"Origin: http://127.0.0.1:8081", "Origin: http://evil.example"},
		{"Origin: http://127.0.0.1:8081.evil.example"},
		{"Origin: http://127.0.0.1:8081@evil.example"},
		{"Origin: ://"},
		{"Sec-Fetch-Site: cross-site"},
		{"Sec-Fetch-Site: same-site"},
		{"Sec-Fetch-Site: cross-site", "Origin: http://127.0.0.1:8081"},
		{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"},
		{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT"} {
			d.status(t, http.StatusForbidden, method, "/console/x", own, append(headers, session)...)
		}
		d.status(t, http.StatusForbidden, "GET", "/console/?key="+d.key, own, headers...)
		d.status(t, http.StatusForbidden, "POST", "/console/login", own, headers...)
		d.status(t, http.StatusForbidden, "POST", "/console/logout", own, append(headers, session)...)
	}
	// A link elsewhere that somebody follows: without the cookie, since that is SameSite=Strict.
	followed := []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	d.status(t, http.StatusUnauthorized, "GET", "/console/x", own, followed...)
	d.status(t, http.StatusForbidden, "POST", "/console/x", own, append(followed, session)...)
}

// TestSession begins with the key, and ends after eight hours or by logging out.
func TestSession(t *testing.T) {
	d := newDoor(t)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "BREW"} {
		d.status(t, http.StatusUnauthorized, method, "/console/x", own)
		d.status(t, http.StatusUnauthorized, method, "/console/x", own, "Cookie: authcompat_console=x", "Authorization: Bearer "+d.key)
	}
	for _, target := range []string{"/", "/?key=" + d.key, "/console"} {
		if res := d.ask("GET", target, own, ""); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/console/" || len(res.Cookies()) > 0 {
			t.Errorf("%s: %s to %s", target, res.Status, res.Header.Get("Location"))
		}
		d.status(t, http.StatusForbidden, "GET", target, "evil.example")
	}
	res := d.ask("GET", "/console/?key="+d.key+"&other=1", own, "")
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/console/" {
		t.Errorf("the key leads to %q with %s", got, res.Status)
	}
	c := res.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/console/" || c.MaxAge != 8*60*60 || c.Secure || c.Value == d.key || len(c.Value) < 26 {
		t.Errorf("the cookie is %s", res.Header.Get("Set-Cookie"))
	}
	session := "Cookie: " + c.Name + "=" + c.Value
	d.status(t, http.StatusOK, "GET", "/console/x", own, session)
	d.status(t, http.StatusUnauthorized, "GET", "/console/x", own, session+"A")
	d.now = d.now.Add(8*time.Hour - time.Second)
	d.status(t, http.StatusOK, "GET", "/console/x", own, session)
	d.now = d.now.Add(time.Second)
	d.status(t, http.StatusUnauthorized, "GET", "/console/x", own, session)

	first, second := d.enter(t), d.enter(t)
	d.status(t, http.StatusUnauthorized, "POST", "/console/logout", own)
	d.status(t, http.StatusOK, "GET", "/console/logout", own, first) // a link logs nobody out
	out := d.ask("POST", "/console/logout", own, "", first)
	if out.StatusCode != http.StatusSeeOther || len(out.Cookies()) != 1 || out.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logging out: %s, %v", out.Status, out.Header)
	}
	d.status(t, http.StatusUnauthorized, "GET", "/console/x", own, first)
	d.status(t, http.StatusOK, "GET", "/console/x", own, second)
}

// TestSessionsAreBounded ends the oldest where there are too many.
func TestSessionsAreBounded(t *testing.T) {
	d := newDoor(t)
	var all []string
	for range 65 {
		all = append(all, d.enter(t))
		d.now = d.now.Add(time.Second)
	}
	d.status(t, http.StatusUnauthorized, "GET", "/console/x", own, all[0])
	for _, session := range all[1:] {
		d.status(t, http.StatusOK, "GET", "/console/x", own, session)
	}
}

// TestKey takes the right key alone, by the printed address or the form, and never says it again.
func TestKey(t *testing.T) {
	d := newDoor(t)
	if other := guard.NewKey(); other == d.key || len(other) < 26 {
		t.Errorf("keys %s and %s", d.key, other)
	}
	for _, key := range []string{"", "x", d.key[1:], d.key + "A", strings.ToLower(d.key), d.key + "&key=", "%00" + d.key} {
		if key == d.key+"&key=" {
			continue // the first counts, and is right
		}
		d.status(t, http.StatusUnauthorized, "GET", "/console/?key="+key, own)
		if res := d.ask("POST", "/console/login", own, url.Values{"key": {key}}.Encode()); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("the form with %q: %s", key, res.Status)
		}
	}
	for _, target := range []string{"/console/x?key=", "/?key=", "/console?key=", "/console/login?key=", "/console/static/?key="} {
		if res := d.ask("GET", target+d.key, own, ""); len(res.Cookies()) > 0 {
			t.Errorf("%s begins a session", target)
		}
	}
	for _, method := range []string{"HEAD", "POST", "PUT"} {
		if res := d.ask(method, "/console/?key="+d.key, own, ""); res.StatusCode != http.StatusUnauthorized || len(res.Cookies()) > 0 {
			t.Errorf("%s with the key in the address: %s", method, res.Status)
		}
	}
	res := d.ask("POST", "/console/login", own, url.Values{"key": {" " + d.key + "\r\n"}}.Encode())
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) != 1 {
		t.Errorf("the form with the key: %s", res.Status)
	}
	if res := d.ask("POST", "/console/login", own, "x="+strings.Repeat("x", 5000)+"&key="+d.key); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a form that is too large: %s", res.Status)
	}
	for _, target := range []string{"/console/?key=" + d.key, "/console/?key=" + d.key + "x", "/console/x?key=" + d.key} {
		var said strings.Builder
		if err := d.ask("GET", target, own, "").Write(&said); err != nil || strings.Contains(said.String(), d.key) {
			t.Errorf("%s: the answer has the key (%v):\n%s", target, err, said.String())
		}
	}
}

// TestHeaders are on every answer, also on refusals.
func TestHeaders(t *testing.T) {
	d := newDoor(t)
	session := d.enter(t)
	for name, res := range map[string]*http.Response{
		"inside": d.ask("GET", "/console/x", own, "", session), "the key": d.ask("GET", "/console/?key="+d.key, own, ""), "a foreign host": d.ask("GET", "/console/x", "evil.example", ""),
		"a foreign origin": d.ask("POST", "/console/x", own, "", "Origin: http://evil.example"), "no session": d.ask("GET", "/console/x", own, ""),
		"a method": d.ask("PUT", "/console/x", own, "", session), "a file": d.ask("GET", "/console/static/console.js", own, ""), "logging out": d.ask("POST", "/console/logout", own, "", session),
	} {
		for header, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := res.Header[header]; !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %s: %q", name, header, got)
			}
		}
	}
}

// TestInside lets GET, HEAD and POST through, with bodies of a bounded size; files need no session.
func TestInside(t *testing.T) {
	d := newDoor(t)
	session := d.enter(t)
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
		res := d.ask(method, "/console/x", own, "", session)
		if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: %s, Allow: %s", method, res.Status, res.Header.Get("Allow"))
		}
	}
	for size, want := range map[int]string{8 << 20: "inside: <nil>", 8<<20 + 1: "inside: http: request body too large"} {
		res := d.ask("POST", "/console/x", own, strings.Repeat("x", size), session)
		if body, _ := io.ReadAll(res.Body); string(body) != want {
			t.Errorf("a body of %d bytes: %s", size, body)
		}
	}
	for _, path := range []string{"console.css", "console.js", "icon.svg"} {
		d.status(t, http.StatusOK, "GET", "/console/static/"+path, own)
		d.status(t, http.StatusOK, "HEAD", "/console/static/"+path, own)
	}
	for _, path := range []string{"", "none", "../page.go", "%2e%2e/page.go"} {
		if res := d.ask("GET", "/console/static/"+path, own, ""); res.StatusCode == http.StatusOK {
			t.Errorf("/console/static/%s is there", path)
		}
	}
}
