package adopt_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/hashing"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/adopt"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/identity"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// world is an API whose users are adopted, and the old server.
type world struct {
	*core.Service
	profile *profiles.Profile
	store   core.Admin
	url     string // of the API
	oldURL  string
	log     strings.Builder
	old     *adopt.Old

	mu     sync.Mutex
	now    time.Time
	asked  []string                                     // what the old server got, as "METHOD TARGET"
	answer func(w http.ResponseWriter, r *http.Request) // of the old server
	counts map[string]int                               // of questions
	last   struct{ body, kind, host string }            // that the old server got
	header http.Header
}

const probe = "/probe/"

func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	w.asked = append(w.asked, r.Method+" "+r.RequestURI)
	w.last.body, w.last.kind = string(body), r.Header.Get("Content-Type")
	w.header, w.last.host = r.Header, r.Host
	answer := w.answer
	w.mu.Unlock()
	answer(out, r)
}

// took returns what the old server got since the last call.
func (w *world) took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := w.asked
	w.asked = nil
	return took
}

// answers makes the old server answer.
func (w *world) answers(answer func(out http.ResponseWriter, r *http.Request)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// says makes the old server answer all requests in one way.
func (w *world) says(status int, body string) {
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(status)
		_, _ = io.WriteString(out, body)
	})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) counted(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[what]
}

// newWorld adopts the users of a profile for a day.
func newWorld(t *testing.T, profile string, rules ...front.Rule) *world {
	t.Helper()
	return newWorldOf(t, profile, "", rules...)
}

// newWorldOf is newWorld with an old server that is asked under a name.
func newWorldOf(t *testing.T, profile, host string, rules ...front.Rule) *world {
	t.Helper()
	p, err := profiles.Load(profile)
	if err != nil {
		t.Fatal(err)
	}
	return newWorldAs(t, p, host, rules...)
}

// newWorldAs is newWorldOf a profile that no file has.
func newWorldAs(t *testing.T, p *profiles.Profile, host string, rules ...front.Rule) *world {
	t.Helper()
	hasher, err := hashing.NewDjangoHasher(1)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	store := sqlitetest.MustOpen(t)
	w := &world{
		Service: core.New(core.Config{Backend: core.Backend{Store: store}, Hasher: hasher, Sealer: sealer}),
		profile: p, store: store, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), counts: make(map[string]int),
	}
	w.says(http.StatusUnauthorized, "")
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.oldURL = server.URL
	at := func(path string) *url.URL {
		u, err := url.Parse(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	keys, err := identity.ParseKeys("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	o := front.Options{Old: front.Application{URL: at("")}, Rules: front.NewRules(rules), Identity: &front.Identity{Keys: keys}, Timeout: 2 * time.Second}
	w.old = adopt.New(adopt.Options{
		ProbeAt: "c.yaml:1:2: probe", Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Profile: p, Engine: w.Service, Login: at("/old/login/?x=1"), Probe: at(probe), Host: host, Until: w.now.Add(24 * time.Hour), Front: o, Now: w.clock,
		Count: func(about adopt.About, r adopt.Result) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.counts[fmt.Sprintf("%s %s", about, r)]++
		},
	})
	var f *front.Front
	api, err := dialects.NewBefore(p, w.Service, func(gate front.API) http.Handler {
		f = front.New(w.old.Gate(gate), o)
		return f
	})
	if err != nil {
		t.Fatal(err)
	}
	if good, err := w.old.CheckProbe(t.Context()); err != nil || !good {
		t.Fatalf("the probe: %t, %v", good, err)
	}
	if got, want := w.took(), []string{"GET " + probe, "GET " + probe}; !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	w.says(http.StatusTeapot, "")
	here := httptest.NewServer(w.old.Before(api, http.HandlerFunc(f.Pass)))
	t.Cleanup(here.Close)
	w.url = here.URL
	return w
}

// send sends a request, with headers as pairs, and returns the answer and its body.
func (w *world) send(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	reply, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply, string(data)
}

// login logs in, and returns the answer as a text.
func (w *world) login(t *testing.T, name, password string) string {
	t.Helper()
	e, _ := w.profile.Endpoint(profiles.Login)
	body, kind := fmt.Sprintf(`{"username": %q, "password": %q}`, name, password), "application/json"
	if w.profile.Family == profiles.FormJSON {
		body, kind = url.Values{"username": {name}, "password": {password}}.Encode(), "application/x-www-form-urlencoded"
	}
	reply, text := w.send(t, http.MethodPost, e.Path, body, "Content-Type", kind)
	if (reply.StatusCode == http.StatusServiceUnavailable) != (reply.Header.Get("Retry-After") != "") {
		t.Errorf("%d with Retry-After %q", reply.StatusCode, reply.Header.Get("Retry-After"))
	}
	return fmt.Sprintf("%d %s", reply.StatusCode, text)
}

func (w *world) knows(t *testing.T, name string) bool {
	t.Helper()
	_, err := w.User(t.Context(), name)
	if err != nil && core.KindOf(err) != core.KindUserUnknown {
		t.Fatal(err)
	}
	return err == nil
}

// MustCreate makes a user whose password is "secret".
func (w *world) MustCreate(t *testing.T, name string) {
	t.Helper()
	if _, err := w.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: name, Password: "secret"}); err != nil {
		t.Fatal(err)
	}
}

var issued = regexp.MustCompile(`"token": ?"([0-9a-f]{32,})"`)

const oldToken = "00112233445566778899aabbccddeeff00112233"

// The replies of old servers, by profile.
var (
	goodReplies = map[string]string{
		"ocd-users":  `{"expiry":"2027-01-01T00:00:00Z","token":"` + oldToken + `"}`,
		"form-auth":  `{"errors": {}, "success": true, "token": "` + oldToken + `"}`,
		"authtokens": `{"token":"` + oldToken + `",   "username":"ann"}`,
		"snippit": `{"expiration_date": null, "token": "` + oldToken + `", "user": {"username": "ann", "email": "ann@example.org", "first_name": "Ann", "last_name": "", "location": null,
			"website": "", "created_at": "01-01-2020 10:00", "followers": 3, "followings": 0, "avatar": "https://secure.gravatar.com/avatar/0?s=130&d="}}`,
	}
	ownRefusals = map[string]string{
		"ocd-users":  `400 {"non_field_errors":["Unable to log in with provided credentials."]}`,
		"form-auth":  `200 {"errors": {"__all__": ["Please enter a correct username and password. Note that both fields may be case-sensitive."]}, "success": false, "token": null}`,
		"authtokens": `401 {"error": "Invalid username or password"}`,
		"snippit":    `400 {"non_field_errors": ["Unable to login with provided credentials."]}`,
	}
)
