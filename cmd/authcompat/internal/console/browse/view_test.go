package browse_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/browse"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/target/targettest"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/profiles"
)

// targets are all built-in profiles, as a console serves them.
func targets(t *testing.T) []target.Target {
	t.Helper()
	var all []target.Target
	for _, name := range profiles.Builtin() {
		there := targettest.API(t, name)
		there.Own = true
		all = append(all, there)
	}
	return all
}

// views returns the view's pages of some targets.
func views(all []target.Target) http.Handler {
	mux := http.NewServeMux()
	browse.New(all).Register(mux)
	return mux
}

// get returns a page.
func get(t *testing.T, h http.Handler, path string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w.Code, w.Body.String()
}

// mostBytes is how large a page may be.
const mostBytes = 100_000

// TestPages has every page of every profile be there, of a size that a phone can take, with links that lead somewhere.
func TestPages(t *testing.T) {
	all := targets(t)
	h := views(all)
	status, index := get(t, h, "/console/profiles/")
	if status != http.StatusOK {
		t.Fatalf("the index has status %d", status)
	}
	largest := 0
	for _, one := range all {
		paths := []string{"/console/profiles/" + one.Name + "/"}
		if !strings.Contains(index, `href="`+paths[0]+`"`) {
			t.Errorf("the index does not lead to %s", one.Name)
		}
		for _, e := range one.Profile.Endpoints {
			paths = append(paths, paths[0]+"endpoints/"+e.Name)
		}
		for i, path := range paths {
			status, body := get(t, h, path)
			if status != http.StatusOK || len(body) > mostBytes {
				t.Errorf("%s: status %d, %d bytes", path, status, len(body))
			}
			largest = max(largest, len(body))
			if i == 0 {
				for _, other := range paths[1:] {
					if !strings.Contains(body, `href="`+other+`"`) {
						t.Errorf("%s does not lead to %s", path, other)
					}
				}
			}
			anchors(t, path, body)
		}
		status, text := get(t, h, paths[0]+"profile.yaml")
		if p, err := profiles.Parse(one.Name, []byte(text)); status != http.StatusOK || err != nil || p.Name != one.Name {
			t.Errorf("%s as YAML: status %d, %v", one.Name, status, err)
		}
	}
	t.Logf("the largest page has %d bytes", largest)
}

var (
	anchor = regexp.MustCompile(`href="#([^"]*)"`)
	id     = regexp.MustCompile(` id="([^"]*)"`)
)

// anchors has each link within a page lead to something, and each id be there once.
func anchors(t *testing.T, path, body string) {
	t.Helper()
	ids := map[string]bool{}
	for _, m := range id.FindAllStringSubmatch(body, -1) {
		if ids[m[1]] {
			t.Errorf("%s has #%s twice", path, m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range anchor.FindAllStringSubmatch(body, -1) {
		if !ids[m[1]] {
			t.Errorf("%s has no #%s", path, m[1])
		}
	}
}

// TestOfAUser has an API that a user wrote be there as others are, and its names be text wherever they stand.
func TestOfAUser(t *testing.T) {
	p, err := profiles.Parse("mine.yaml", []byte(`name: mine
title: "<b>bold</b> & \"quoted\""
document: "<script>alert(1)</script>"
family: drf
stack: drf-3.14
tokens: {hex: 64, ttl: 90m, per_user: many, sliding: {interval: 0s, max: 2d}, limit: 1, prefix: t_}
headers: {X-Odd: "<i>"}
endpoints:
  sign-in:
    action: login
    path: /in
    fields: {username: {max_length: 7, label: "<u>Name</u>"}, password: {}}
    reply: {status: 203, body: {"<key>": $token.key, text: "a & b"}}
messages:
  credentials: "No <em>such</em> user."
`))
	if err != nil {
		t.Fatal(err)
	}
	const name = `a "b" <c>/d?e#f`
	h := views([]target.Target{{Name: name, URL: "http://x/<y>", Profile: p}, {Name: "bare", Exchanges: &conformance.File{Profile: "mine", Exchanges: []conformance.Exchange{{Name: "<x>", Source: "silent: <y>"}}}}})
	const escaped = "/console/profiles/a%20%22b%22%20%3Cc%3E%2Fd%3Fe%23f/"
	_, index := get(t, h, "/console/profiles/")
	_, overview := get(t, h, escaped)
	_, endpoint := get(t, h, escaped+"endpoints/sign-in")
	for page, wants := range map[string][]string{
		index: {`href="` + escaped + `"`, "a &#34;b&#34; &lt;c&gt;/d?e#f", "&lt;b&gt;bold&lt;/b&gt;", "1 hour 30 minutes from the login", "only the exchange file"},
		overview: {
			"Each use moves the end to 1 hour 30 minutes from then, and never beyond 2 days from the login", "A new one at each login, and a user has at most 1 that is live", "t_ and 64 lower-case hex digits",
			"http://x/&lt;y&gt;", "Authorization: Token t_…", escaped + "endpoints/sign-in", "/console/try/?endpoint=sign-in&amp;target=a&#43;%22b%22&#43;%3Cc%3E%2Fd%3Fe%23f",
		},
		endpoint: {
			`{&#34;&lt;key&gt;&#34;:&#34;<var>$token.key</var>&#34;,&#34;text&#34;:&#34;a &amp; b&#34;}`, "203 Non-Authoritative Information",
			`{&#34;non_field_errors&#34;:[&#34;<span class="said">No &lt;em&gt;such&lt;/em&gt; user.</span>&#34;]}`, "at most 7 characters", "label: &lt;u&gt;Name&lt;/u&gt;",
			"Ensure this field has no more than 7 characters.", "Maximum amount of tokens allowed per user exceeded.", `<span class="name">X-Odd</span>: &lt;i&gt;`,
		},
	} {
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s is missing in\n%s", want, page)
			}
		}
		for _, markup := range []string{"<b>", "<script>", "<i>", "<u>", "<em>", "<c>", "<y>", "<key>"} {
			if strings.Contains(page, markup) {
				t.Errorf("%s is markup in\n%s", markup, page)
			}
		}
	}
	if status, body := get(t, h, "/console/profiles/bare/"); status != http.StatusOK || !strings.Contains(body, "/console/try/?exchange=%3Cx%3E&amp;target=bare") || strings.Contains(body, "<x>") {
		t.Errorf("without a profile: status %d\n%s", status, body)
	}
}

// TestFinds has answers be found by their words, and filtered without a script.
func TestFinds(t *testing.T) {
	h := views(targets(t))
	const profile = "/console/profiles/ocd-users/"
	for query, want := range map[string]int{
		"unable LOG in 400": 1, "WWW-Authenticate expired": 4, "token.key": 2, "nobody has the name": 1, "no such words": 0, "": 0,
	} {
		_, body := get(t, h, profile+"?find="+url.QueryEscape(query))
		if got := strings.Count(body, `href="`+profile+`endpoints/`) - 4; got != want {
			t.Errorf("%q: %d answers, want %d", query, got, want)
		}
		if nothing := strings.Contains(body, "No answer has all of these words."); nothing != (want == 0 && query != "") {
			t.Errorf("%q: nothing is found: %v", query, nothing)
		}
	}
	_, body := get(t, h, "/console/profiles/djoser/?find=400")
	if !strings.Contains(body, "There are more: only the first are shown.") || strings.Count(body, `<p class="when">`) > 110 {
		t.Error("not only the first are shown")
	}
	if _, body := get(t, h, "/console/profiles/form-auth/?find=this+field+is+required"); !strings.Contains(body, `<a class="badge warn" href="/console/profiles/form-auth/endpoints/signup#error-`) {
		t.Errorf("a form's refusal with 200 looks like a success:\n%s", body)
	}
	_, body = get(t, h, profile+"endpoints/login?q="+url.QueryEscape(`"required"`))
	if !strings.Contains(body, `value="&#34;required&#34;"`) || strings.Count(body, `" hidden>`) == 0 || strings.Contains(body, `<li id="error-1">`) {
		t.Errorf("not filtered:\n%s", body)
	}
	for _, path := range []string{"/console/profiles/nobody/", profile + "endpoints/nothing", profile + "nothing", "/console/profiles/nobody/profile.yaml"} {
		if status, _ := get(t, h, path); status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, status)
		}
	}
}
