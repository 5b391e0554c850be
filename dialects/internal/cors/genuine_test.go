package cors

import (
	_ "embed"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/core/pythontest"
	"github.com/authcompat/authcompat/dialects/internal/django"
	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

//go:embed testdata/genuine.py
var genuine string

// asked is a request to both.
type asked struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Headers [][2]string `json:"headers"`
	Vary    []string    `json:"vary"` // of the view's reply
}

// question is what the script is asked; bytes are sent as Latin-1.
type question struct {
	Settings map[string]any `json:"settings"`
	Requests []asked        `json:"requests"`
}

// startGenuine starts Debian's django-cors-headers (3.14). Without it the test is skipped, or
// fails if CI is set.
func startGenuine(t *testing.T) func(question) []json.RawMessage {
	t.Helper()
	ask := pythontest.Start(t, "corsheaders", genuine)
	return func(q question) []json.RawMessage {
		var answer struct {
			Wrong   []string          `json:"wrong"`
			Answers []json.RawMessage `json:"answers"`
		}
		ask(q, &answer)
		if len(answer.Wrong) > 0 {
			t.Fatalf("%v are no settings: %v", q.Settings, answer.Wrong)
		}
		return answer.Answers
	}
}

// pick picks one of some.
func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// some picks some of them, in their order.
func some(r *rand.Rand, from ...string) []string {
	list := []string{}
	for _, s := range from {
		if r.IntN(2) == 0 {
			list = append(list, s)
		}
	}
	return list
}

// randomCORS makes a profile's CORS, and the same as Django's settings.
func randomCORS(r *rand.Rand) (profiles.CORS, map[string]any) {
	c := profiles.CORS{
		AllOrigins:     r.IntN(4) == 0,
		Origins:        some(r, "https://a.example", "http://localhost:3000", "HTTPS://Up.Example", "null", "file://", "https://[::1]:8000", "https://u@a.example"),
		OriginPatterns: some(r, `^https://\w+\.b\.example$`, `https://c`, `(?i)^HTTPS://D\.example\Z`, `^http://[^\W_]+:\d{4}$`, `null$`),
		Credentials:    r.IntN(2) == 0,
		Methods:        some(r, "GET", "POST", "x-odd"),
		Headers:        some(r, "authorization", "X-Token"),
		ExposeHeaders:  some(r, "X-Total", "link"),
		MaxAge:         pick(r, 0, 1, 86400),
		Paths:          pick(r, `^.*$`, `^.*$`, `^/api/`, `/api/.+/$`, `^/(api|é)(/|$)`, `^/[^%]*$`),
		Release:        profiles.CORS24,
	}
	return c, map[string]any{
		"CORS_ALLOW_ALL_ORIGINS": c.AllOrigins, "CORS_ALLOWED_ORIGINS": c.Origins, "CORS_ALLOWED_ORIGIN_REGEXES": c.OriginPatterns,
		"CORS_ALLOW_CREDENTIALS": c.Credentials, "CORS_ALLOW_METHODS": c.Methods, "CORS_ALLOW_HEADERS": c.Headers,
		"CORS_EXPOSE_HEADERS": c.ExposeHeaders, "CORS_PREFLIGHT_MAX_AGE": c.MaxAge, "CORS_URLS_REGEX": c.Paths,
	}
}

// randomRequest makes a request; text stands for bytes as Latin-1.
func randomRequest(r *rand.Rand) asked {
	q := asked{
		Method:  pick(r, "GET", "POST", "OPTIONS", "OPTIONS", "OPTIONS", "options", "HEAD"),
		Path:    pick(r, "/", "/api/", "/api/login/", "/api/login", "/login/", "/api", "/api\n", "/a\nb", "/\xc3\xa9/", "/\xe9/", "/\xed\xa0\x80/", "/\xef\xbf\xbd", "/\xef/"),
		Headers: [][2]string{},
		Vary:    pick(r, []string{}, []string{"Accept"}, []string{"origin"}, []string{"*"}, []string{"Accept", "Origin", "X"}),
	}
	q.Path = django.Latin1(q.Path)
	origin := pick(r, "https://a.example", "https://A.example", "HTTPS://a.example", "https://a.example/", "https://a.example:443", "http://a.example", "https://a.example?x",
		"http://localhost:3000", "http://localhost:8000", "https://up.example", "https://Up.Example", "null", "NULL", "file://", "file:///x", "https://[::1]:8000", "https://[::1", "https://]",
		"https://x.b.example", "https://x.b.example.evil", "https://\xe9.b.example", "https://c.evil", "https://D.EXAMPLE", "http://ab1:8080", "http://a_b:8080", "", "foo", "https:a.example",
		"//a.example", "https://u@a.example", "https://[1.2.3.4]", "a.example, https://a.example", "https://a.example\xff", "\x7f")
	if r.IntN(6) > 0 {
		q.Headers = append(q.Headers, [2]string{"Origin", django.Latin1(origin)})
		if r.IntN(20) == 0 {
			q.Headers = append(q.Headers, [2]string{"Origin", "https://a.example"})
		}
	}
	if r.IntN(2) == 0 {
		q.Headers = append(q.Headers, [2]string{"Access-Control-Request-Method", pick(r, "POST", "", "odd")})
	}
	if r.IntN(3) == 0 {
		q.Headers = append(q.Headers, [2]string{"Access-Control-Request-Headers", "authorization"})
	}
	return q
}

// bytesOf undoes django.Latin1.
func bytesOf(text string) string {
	var out strings.Builder
	for _, c := range text {
		out.WriteByte(byte(c))
	}
	return out.String()
}

// answer asks ours, and gives the status and the headers of the answer by name.
func answer(h http.Handler, q asked) (status int, headers map[string]string) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Method, r.URL = q.Method, &url.URL{Path: bytesOf(q.Path)}
	for _, header := range q.Headers {
		r.Header[header[0]] = append(r.Header[header[0]], bytesOf(header[1]))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	headers = make(map[string]string)
	for name, values := range w.Header() {
		headers[name] = django.Latin1(strings.Join(values, "|"))
	}
	return w.Code, headers
}

// view is an API whose reply has the header Vary that a request wants.
func view(of *asked) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		out := wire.Reply{Status: http.StatusOK, ContentType: "text/html; charset=utf-8", Body: []byte("view")}
		if len(of.Vary) > 0 {
			out.Add("Vary", strings.Join(of.Vary, ", "))
		}
		out.Write(w)
	}
}

// everything is an API that has all paths.
func everything(*http.Request) bool { return true }

// TestAsGenuine asks genuine django-cors-headers and this package the same.
func TestAsGenuine(t *testing.T) {
	ask := startGenuine(t)
	r := rand.New(rand.NewPCG(5, 6))
	const settings, requests = 60, 40
	allowed, preflights := 0, 0
	for range settings {
		c, named := randomCORS(r)
		q := question{Settings: named}
		for range requests {
			q.Requests = append(q.Requests, randomRequest(r))
		}
		var request asked
		ours := New(&profiles.Profile{CORS: &c}, view(&request), everything)
		for i, raw := range ask(q) {
			var status int
			var pairs [][2]string
			if err := json.Unmarshal(raw, &[]any{&status, &pairs}); err != nil {
				t.Fatal(err)
			}
			want := make(map[string]string)
			for _, pair := range pairs {
				want[pair[0]] = pair[1]
			}
			request = q.Requests[i]
			code, got := answer(ours, request)
			if d := cmp.Diff(want, got); d != "" || code != status {
				t.Fatalf("%+v\n%+v: %d, genuine %d (-genuine +ours):\n%s", named, request, code, status, d)
			}
			if want["Access-Control-Allow-Origin"] != "" {
				allowed++
			}
			if want["Content-Length"] == "0" {
				preflights++
			}
		}
	}
	if allowed < settings*requests/10 || preflights < settings*requests/10 {
		t.Errorf("of %d requests %d were allowed, %d preflights", settings*requests, allowed, preflights)
	}
}
