package adopt_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/dialects"
	"github.com/authcompat/authcompat/dialects/front"
	"github.com/authcompat/authcompat/dialects/identity"
)

// rules are those of the tests.
var rules = []front.Rule{{Path: "/private/", Token: front.Needed}, {Path: "/pages/", Token: front.Checked}}

// tokenServer is an old server that knows tokens, each of a user.
type tokenServer struct {
	mu     sync.Mutex
	tokens map[string]string
	status int // of answers to probes; 0: by the token
}

// set changes what it answers.
func (s *tokenServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *tokenServer) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.TrimPrefix(r.Header.Get("Authorization"), "Token ")
	user, good := s.tokens[text]
	switch {
	case strings.HasPrefix(r.URL.Path, "/private/"), strings.HasPrefix(r.URL.Path, "/pages/"):
		fmt.Fprintf(w, "identity %q", r.Header.Get(identity.Header))
	case r.URL.Path == probe && s.status != 0:
		w.WriteHeader(s.status)
	case !good:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "the old server's refusal")
	case strings.Contains(r.URL.Path, "logout"):
		delete(s.tokens, text)
		w.WriteHeader(http.StatusNoContent)
	default:
		fmt.Fprintf(w, `{"username": %q, "more": {"username": "x"}}`, user)
	}
}

func (w *world) get(t *testing.T, path, token string) string {
	t.Helper()
	var headers []string
	if token != "" {
		headers = []string{"Authorization", "Token " + token}
	}
	reply, text := w.send(t, http.MethodGet, path, "", headers...)
	return fmt.Sprintf("%d %s", reply.StatusCode, text)
}

func (w *world) post(t *testing.T, path, token string) string {
	t.Helper()
	reply, text := w.send(t, http.MethodPost, path, "", "Authorization", "Token "+token)
	return fmt.Sprintf("%d %s", reply.StatusCode, text)
}

// newTokenWorld has an old server that knows a token.
func newTokenWorld(t *testing.T, profile string, known map[string]string) (*world, *tokenServer) {
	t.Helper()
	w := newWorld(t, profile, rules...)
	s := &tokenServer{tokens: known}
	w.answers(s.answer)
	return w, s
}

const nobodys = `200 identity ""`

// TestToken asks the old server once a minute about a token that is unknown here.
func TestToken(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"good": ""})
	asked := func(want ...string) {
		t.Helper()
		if got := w.took(); !slices.Equal(got, want) {
			t.Errorf("the old server got %q, want %q", got, want)
		}
	}
	const bad = `401 {"detail":"Invalid token."}`
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probe && (r.Host == "mallory.example" || r.Header.Get("X-Forwarded-Host") == "mallory.example") {
			return // another application at the same address, which takes all tokens for good
		}
		s.answer(out, r)
	})
	if reply, _ := w.send(t, http.MethodGet, "/private/", "", "Authorization", "Token mallorys", "Host", "mallory.example", "X-Forwarded-Host", "mallory.example"); reply.StatusCode != http.StatusUnauthorized {
		t.Errorf("the client chooses whom to ask: %d", reply.StatusCode)
	}
	asked("GET " + probe)
	for range 2 {
		if got := w.get(t, "/private/", "good"); got != nobodys {
			t.Errorf("a good token: %s", got)
		}
	}
	asked("GET "+probe, "GET /private/", "GET /private/")
	for name := range w.header {
		switch name {
		case "Authorization", "User-Agent", "Accept-Encoding", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto":
		default:
			t.Errorf("the old server got %s", name)
		}
	}
	for _, path := range []string{"/private/", "/pages/", "/private/"} {
		if got := w.get(t, path, "bad"); got != bad {
			t.Errorf("a bad token: %s", got)
		}
	}
	asked("GET " + probe)
	if got := w.get(t, "/pages/", ""); got != nobodys {
		t.Errorf("no token: %s", got)
	}
	if got := w.get(t, "/private/", ""); !strings.HasPrefix(got, "401 ") {
		t.Errorf("no token: %s", got)
	}
	for _, malformed := range []string{"good bad", "\xff"} {
		if got := w.get(t, "/private/", malformed); !strings.HasPrefix(got, "401 ") {
			t.Errorf("%q: %s", malformed, got)
		}
	}
	asked("GET /pages/")

	w.pass(59 * time.Second)
	s.set(func() { delete(s.tokens, "good") })
	s.set(func() { s.tokens["bad"] = "" })
	if got := w.get(t, "/private/", "good") + w.get(t, "/private/", "bad"); got != nobodys+bad {
		t.Errorf("within a minute: %s", got)
	}
	w.took()
	w.pass(time.Second)
	if got := w.get(t, "/private/", "good") + w.get(t, "/private/", "bad"); got != bad+nobodys {
		t.Errorf("after a minute: %s", got)
	}
	asked("GET "+probe, "GET "+probe, "GET /private/")
}

// TestTokenUnanswered answers 503 where the old server says nothing of a token, and remembers
// that for no longer than a second.
func TestTokenUnanswered(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"good": ""})
	for _, status := range []int{http.StatusFound, http.StatusBadRequest, http.StatusNotFound, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		s.set(func() { s.status = status })
		for _, path := range []string{"/private/", "/pages/"} {
			w.pass(time.Second)
			for range 2 { // the answer that says nothing is remembered for a second
				w.get(t, path, "good")
			}
			reply, text := w.send(t, http.MethodGet, path, "", "Authorization", "Token good")
			if reply.StatusCode != http.StatusServiceUnavailable || reply.Header.Get("Retry-After") == "" || text != `{"detail":"Service temporarily unavailable, try again later."}` {
				t.Errorf("%d: %d %s", status, reply.StatusCode, text)
			}
		}
	}
	if got := w.counted("token invalid"); got != 12 {
		t.Errorf("counted %v", w.counts)
	}
	s.set(func() { s.status = 0 })
	w.pass(time.Second)
	if got := w.get(t, "/private/", "good"); got != nobodys {
		t.Errorf("afterwards: %s", got)
	}
}

// TestTokenOfAUser tells the application whose token it is where that is known: from the login
// that issued it, or from what the probe shows where the profile shows a username. A user who is
// disabled here is refused.
func TestTokenOfAUser(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{oldToken: "mallory", "other": "ann"})
	answer := func(out http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/old/login/") {
			_, _ = io.WriteString(out, goodReplies["ocd-users"])
			return
		}
		s.answer(out, r)
	}
	w.answers(answer)
	if got := w.get(t, "/private/", oldToken); got != nobodys {
		t.Errorf("before the login: %s", got)
	}
	if got := w.login(t, "ann", "secret"); !strings.HasPrefix(got, "200 ") { // which shows the same token again
		t.Fatal(got)
	}
	user, err := w.User(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.get(t, "/private/", oldToken); !strings.Contains(got, "name=ann;") {
		t.Errorf("the token of a login: %s", got)
	}
	if got := w.get(t, "/private/", "other"); got != nobodys { // ocd-users shows no username
		t.Errorf("another token: %s", got)
	}
	if err := w.SetActive(t.Context(), w.store, user, false); err != nil {
		t.Fatal(err)
	}
	if got := w.get(t, "/private/", oldToken); !strings.HasPrefix(got, "401 ") {
		t.Errorf("of a disabled user: %s", got)
	}

	w, _ = newTokenWorld(t, "authtokens", map[string]string{"anns": "ann", "bobs": "bob", "roots": "root"})
	if _, err := w.CreateUser(t.Context(), core.Policy{}, core.Registration{Username: "ann", Password: "x", Attributes: map[string]string{core.AdoptedFrom: "authtokens"}}); err != nil {
		t.Fatal(err)
	}
	w.MustCreate(t, "root")
	if got := w.get(t, "/private/", "anns"); !strings.Contains(got, "name=ann;") {
		t.Errorf("the probe shows a name: %s", got)
	}
	if got := w.get(t, "/private/", "bobs"); got != nobodys { // nobody of that name is here
		t.Errorf("the probe shows an unknown name: %s", got)
	}
	if got := w.get(t, "/private/", "roots"); got != nobodys { // somebody took the name there
		t.Errorf("the probe shows the name of a user who was not adopted: %s", got)
	}
}

// TestLogout ends tokens where they were issued, and forgets them at once.
func TestLogout(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"one": "", "two": ""})
	w.MustCreate(t, "ann")
	own := issued.FindStringSubmatch(w.login(t, "ann", "secret"))[1]
	if got := w.get(t, "/private/", own); !strings.Contains(got, "name=ann;") {
		t.Errorf("our own token: %s", got)
	}
	if got := w.get(t, "/private/", "one") + w.get(t, "/private/", "two"); got != nobodys+nobodys {
		t.Errorf("before: %s", got)
	}
	w.took()
	if got := w.post(t, "/api/logout/", "one"); got != "204 " || s.tokens["one"] != "" || len(s.tokens) != 1 {
		t.Errorf("logout: %s, %v", got, s.tokens)
	}
	if got := w.get(t, "/private/", "one"); !strings.HasPrefix(got, "401 ") {
		t.Errorf("after the logout: %s", got)
	}
	if got := w.post(t, "/api/logoutall/", "two"); got != "204 " || len(s.tokens) != 0 {
		t.Errorf("logout of all: %s, %v", got, s.tokens)
	}
	if got := w.post(t, "/api/logout/", "three"); got != "401 the old server's refusal" {
		t.Errorf("logout with an unknown token: %s", got)
	}
	w.took()
	if got := w.post(t, "/api/logout/", own); got != "204 " || len(w.took()) > 0 {
		t.Errorf("logout with our own token: %s", got)
	}
	if reply, _ := w.send(t, http.MethodPost, "/api/logout/", ""); reply.StatusCode != http.StatusUnauthorized || len(w.took()) > 0 {
		t.Errorf("logout without a token: %d", reply.StatusCode)
	}
}

// TestLogoutWithATokenUnderWay does not remember what the old server said before a logout.
func TestLogoutWithATokenUnderWay(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"one": ""})
	began, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probe {
			held := false
			once.Do(func() { held = true })
			if held {
				close(began)
				<-goOn
				_, _ = io.WriteString(out, "good")
				return
			}
		}
		s.answer(out, r)
	})
	var all sync.WaitGroup
	all.Go(func() { w.get(t, "/private/", "one") })
	<-began
	if got := w.post(t, "/api/logout/", "one"); got != "204 " {
		t.Errorf("logout: %s", got)
	}
	close(goOn)
	all.Wait()
	if got := w.get(t, "/private/", "one"); !strings.HasPrefix(got, "401 ") {
		t.Errorf("after the logout: %s", got)
	}
}

// TestLogoutOfAll forgets all tokens of a user who is known, and no others.
func TestLogoutOfAll(t *testing.T) {
	one, two, bobs := strings.Repeat("1", 64), strings.Repeat("2", 64), strings.Repeat("3", 64)
	w, s := newTokenWorld(t, "ocd-users", map[string]string{one: "", two: "", bobs: ""})
	for _, login := range []struct{ name, password, token string }{{"ann", "old", one}, {"ann", "new", two}, {"bob", "x", bobs}} {
		w.says(http.StatusOK, strings.Replace(goodReplies["ocd-users"], oldToken, login.token, 1))
		if got := w.login(t, login.name, login.password); !strings.Contains(got, login.token) {
			t.Fatal(got)
		}
	}
	w.answers(s.answer)
	all := func() {
		t.Helper()
		for _, token := range []string{one, two, bobs} {
			_ = w.get(t, "/private/", token)
		}
	}
	all()
	if got := w.post(t, "/api/logoutall/", one); got != "204 " {
		t.Errorf("logout: %s", got)
	}
	s.set(func() { delete(s.tokens, two) })
	w.took()
	all()
	got := w.took()
	slices.Sort(got)
	if want := []string{"GET /private/", "GET " + probe, "GET " + probe}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTokenIsAskedOnce has many requests with one token at once.
func TestTokenIsAskedOnce(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"good": ""})
	goOn := make(chan struct{})
	w.answers(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probe {
			<-goOn
		}
		s.answer(out, r)
	})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := w.get(t, "/private/", "good"); got != nobodys {
				t.Error(got)
			}
		})
	}
	for len(w.took()) == 0 {
		time.Sleep(time.Millisecond)
	}
	close(goOn)
	all.Wait()
	if n := w.counted("token good"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestEnded tells of tunnels whose token has ended at the old server, and of none while it
// does not answer.
func TestEnded(t *testing.T) {
	w, s := newTokenWorld(t, "ocd-users", map[string]string{"good": ""})
	var gate front.API
	if _, err := dialects.NewBefore(w.profile, w.Service, func(api front.API) http.Handler { gate = w.old.Gate(api); return http.NotFoundHandler() }); err != nil {
		t.Fatal(err)
	}
	ended := func() bool {
		w.pass(time.Minute)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/private/", nil)
		r.Header.Set("Authorization", "Token good")
		return gate.Ended(r)
	}
	if ended() {
		t.Error("a good token has ended")
	}
	s.set(func() { s.status = http.StatusServiceUnavailable })
	if ended() {
		t.Error("a token has ended while nobody knows")
	}
	s.set(func() { s.status, s.tokens = 0, nil })
	if !ended() {
		t.Error("a bad token has not ended")
	}
}

// TestLoginWithATokenOfTheOldServer logs in although the request has a token that is unknown
// here: the old server would have taken it.
func TestLoginWithATokenOfTheOldServer(t *testing.T) {
	w, s := newTokenWorld(t, "knox-auth", map[string]string{"good": ""})
	w.MustCreate(t, "ann")
	for token, want := range map[string]int{"good": http.StatusOK, "bad": http.StatusUnauthorized, "away": http.StatusOK} {
		s.set(func() { s.status = 0 })
		if token == "away" {
			s.set(func() { s.status = http.StatusServiceUnavailable })
		}
		reply, text := w.send(t, http.MethodPost, "/auth/login/", `{"username": "ann", "password": "secret"}`, "Content-Type", "application/json", "Authorization", "Token "+token)
		if reply.StatusCode != want {
			t.Errorf("%s: %d %s", token, reply.StatusCode, text)
		}
	}
}
