package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/profiles"
)

// seenRequests is an application that records what reaches it.
type seenRequests struct {
	mu   sync.Mutex
	seen []string
}

// ServeHTTP implements http.Handler.
func (s *seenRequests) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, fmt.Sprintf("%s %s %d %s", r.Method, r.RequestURI, n, strings.Join(r.Header["X-Authcompat-Identity"], ",")))
}

// take returns what was recorded since the last call.
func (s *seenRequests) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

// askedServer is a server of all profiles, with a front before an application and a listener
// that is asked at.
type askedServer struct {
	*process
	at, file, callers string
	store             string // path of the database
	application       string // its address
	requests          *seenRequests
}

const callerSecret = "a secret of the caller"

func callersFile(secret string) string {
	digest := sha256.Sum256([]byte(secret))
	return "service: sha256:" + hex.EncodeToString(digest[:]) + "\n"
}

func startAsked(t *testing.T) *askedServer {
	t.Helper()
	s := &askedServer{at: freeAddress(t), requests: &seenRequests{}}
	application := httptest.NewServer(s.requests)
	t.Cleanup(application.Close)
	s.application = application.Listener.Addr().String()
	folder := t.TempDir()
	s.file, s.callers, s.store = filepath.Join(folder, "c.yaml"), filepath.Join(folder, "callers"), filepath.Join(folder, "auth.db")
	put(t, s.callers, callersFile(callerSecret))
	if err := os.Chmod(s.callers, 0o600); err != nil {
		t.Fatal(err)
	}
	text := "ask: {address: '" + s.at + "', callers_file: " + s.callers + "}\nlisteners:\n"
	for _, name := range profiles.Builtin() {
		text += "  - {profile: " + name + ", address: '" + freeAddress(t) + "', front: {old: 'http://" + s.application + "', paths: [{path: /private/, token: needed}]}}\n"
	}
	put(t, s.file, text)
	s.process = start(t, "--config", s.file, "--password-iterations", "100", "--log-requests", "all", "--store", "sqlite:"+s.store)
	return s
}

// change changes rows of the database.
func (s *askedServer) change(t *testing.T, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", s.store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Exec(statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 1 || err != nil {
		t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

func digestOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// told is what a client is told, without what is of the connection, or a server's own.
type told struct {
	Status int
	Header http.Header
	Body   string
}

// tell sends a request with these Authorization headers.
func (s *askedServer) tell(t *testing.T, method, url, body string, authorization ...string) told {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != nil {
		r.Header["Authorization"] = authorization
	}
	r.Header.Set("Origin", "https://app.example")
	r.Header["X-Authcompat-Identity"] = []string{"a client's"}
	answer, err := s.client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Date", "Server", "Connection", "Keep-Alive"} {
		answer.Header.Del(name)
	}
	return told{answer.StatusCode, answer.Header, string(text)}
}

// TestAskDenial compares what clients are told through each proxy with what the API tells them
// itself, and sees that no request without a good token reaches the application.
func TestAskDenial(t *testing.T) {
	t.Parallel()
	s := startAsked(t)
	good, expired := s.register(t, "ann"), s.register(t, "bob")
	inactive := s.register(t, "eve")
	s.change(t, "UPDATE tokens SET expires_at = ? WHERE digest = ?", time.Now().Add(-time.Minute).UnixMicro(), digestOf(expired))
	s.change(t, "UPDATE users SET active = 0 WHERE username = 'eve'")
	for _, proxy := range askingProxies {
		for _, profile := range profiles.Builtin() {
			t.Run(proxy+"/"+profile, func(t *testing.T) {
				direct, at := s.urls[profile]+"/private/x?y=1", askingProxy(t, proxy, profile, s.at, s.application)+"/private/x?y=1"
				for name, authorization := range map[string][]string{
					"none": nil, "another scheme": {"Basic eDp5"}, "the scheme alone": {"Token"}, "bad": {"Token 0123456789012345678901234567890123456789"},
					"expired": {"Token " + expired}, "inactive": {"Token " + inactive}, "two": {"Token " + good, "Token " + good}, "a bad one first": {"Token x", "Token " + good},
				} {
					for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
						body := ""
						if method == http.MethodPost {
							body = strings.Repeat("x", 10_000)
						}
						want := s.tell(t, method, direct, body, authorization...)
						if want.Status != http.StatusUnauthorized && want.Status != http.StatusForbidden { // where sessions come first
							t.Fatalf("%s, directly: %v", name, want)
						}
						if diff := cmp.Diff(want, s.tell(t, method, at, body, authorization...)); diff != "" {
							t.Errorf("%s, %s (-direct +through %s):\n%s", name, method, proxy, diff)
						}
					}
				}
				if seen := s.requests.take(); len(seen) > 0 {
					t.Errorf("the application got %v", seen)
				}
				for _, request := range []struct{ method, body string }{{http.MethodGet, ""}, {http.MethodPut, strings.Repeat("x", 2<<20)}} {
					if got := s.tell(t, request.method, at, request.body, "Token "+good); got.Status != http.StatusOK {
						t.Errorf("a good token: %v", got)
					}
					want := []string{fmt.Sprintf("%s /private/x?y=1 %d ", request.method, len(request.body))}
					if diff := cmp.Diff(want, s.requests.take()); diff != "" {
						t.Errorf("what the application gets (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
	if log := s.log.String(); strings.Contains(log, good) || strings.Contains(log, expired) || strings.Contains(log, inactive) || strings.Contains(log, "X-Forwarded-For") {
		t.Errorf("logged: %s", log)
	}
}

// TestAskStaysClosed has a store that does not answer, and then no server: no proxy lets a
// request through.
func TestAskStaysClosed(t *testing.T) {
	t.Parallel()
	s := startAsked(t)
	token := s.register(t, "ann")
	at := make(map[string]string)
	for _, proxy := range askingProxies {
		at[proxy] = askingProxy(t, proxy, "ocd-users", s.at, s.application) + "/private/"
		if got := s.tell(t, http.MethodGet, at[proxy], "", "Token "+token); got.Status != http.StatusOK {
			t.Fatalf("%s: %v", proxy, got)
		}
	}
	s.requests.take()
	if err := os.Rename(s.store, s.store+".away"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the store is known to be away", func() bool {
		a, err := s.send(http.MethodGet, s.manage+"/readyz", "", "")
		return err == nil && a.status == http.StatusServiceUnavailable
	})
	eventually(t, "tokens in memory are accepted no more", func() bool {
		return s.tell(t, http.MethodGet, "http://"+s.at+"/ocd-users/forward", "", "Token "+token).Status == http.StatusServiceUnavailable
	})
	for _, proxy := range askingProxies {
		got := s.tell(t, http.MethodGet, at[proxy], "", "Token "+token)
		body := `{"detail":"Service temporarily unavailable, try again later."}`
		if proxy == "envoy" {
			body = "" // it passes on no 5xx
		}
		if got.Status != http.StatusServiceUnavailable || got.Body != body || (got.Header.Get("Retry-After") == "") != (proxy == "envoy") {
			t.Errorf("%s, the store away: %v", proxy, got)
		}
	}
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	for proxy, want := range map[string]int{"nginx": 502, "haproxy": 503, "caddy": 502, "traefik": 500, "envoy": 503} {
		if got := s.tell(t, http.MethodGet, at[proxy], "", "Token "+token); got.Status != want {
			t.Errorf("%s, nobody to ask: %v, want %d", proxy, got, want)
		}
	}
	if seen := s.requests.take(); len(seen) > 0 {
		t.Errorf("the application got %v", seen)
	}
}

// TestAskErrorInLua has an error in Lua, after which HAProxy goes on: with what is printed, not
// to the application.
func TestAskErrorInLua(t *testing.T) {
	requests := &seenRequests{}
	application := httptest.NewServer(requests)
	defer application.Close()
	folder, address := t.TempDir(), freeAddress(t)
	file, lua := filepath.Join(folder, "haproxy.cfg"), filepath.Join(folder, "broken.lua")
	put(t, lua, `for _, name in ipairs({ "authcompat", "authcompat_refuse" }) do
		core.register_action(name, { "http-req" }, function(txn) error("broken") end)
	end`)
	put(t, file, command(t, "", "front", "snippet", "haproxy", "--profile", "snippit", "--application", application.Listener.Addr().String(), "--proxy-address", address, "--lua-file", lua))
	runProxy(t, "haproxy", address, exec.Command(daemon("haproxy"), "-db", "-f", file))
	s := &askedServer{process: &process{client: http.DefaultClient}}
	if got := s.tell(t, http.MethodGet, "http://"+address+"/private/", "", "Token x"); got.Status != http.StatusServiceUnavailable || requests.take() != nil {
		t.Errorf("%v", got)
	}
}

// introspected asks a server for a token as a service.
func (s *askedServer) introspected(t *testing.T, secret, token string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.at+"/ocd-users/introspect", strings.NewReader("token="+token))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("service", secret)
	got, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(body)}
}

// TestAskOperation follows reloads of the callers and of the profiles, counts and logs requests,
// and shows no secret.
func TestAskOperation(t *testing.T) {
	t.Parallel()
	s := startAsked(t)
	token := s.register(t, "ann")
	if got := s.introspected(t, callerSecret, token); got.status != http.StatusOK || !strings.HasPrefix(got.body, `{"active":true,"username":"ann","sub":"1","exp":`) {
		t.Errorf("%v", got)
	}
	if got := s.introspected(t, callerSecret, token+"x"); got.status != http.StatusOK || got.body != `{"active":false}` {
		t.Errorf("%v", got)
	}
	if got := s.introspected(t, "another secret", token); got.status != http.StatusUnauthorized {
		t.Errorf("%v", got)
	}
	forward := "http://" + s.at + "/ocd-users/forward"
	if got := s.tell(t, http.MethodGet, forward, "", "Token "+token); got.Status != http.StatusOK {
		t.Errorf("%v", got)
	}
	s.want(t, http.StatusNotFound, http.MethodGet, "http://"+s.at+"/metrics", "", "")
	s.want(t, http.StatusNotFound, http.MethodGet, s.manage+"/ocd-users/forward", "", "")
	for name, want := range map[string]float64{
		`profile="ocd-users",endpoint="ask_introspect",status="200"`: 2, `profile="ocd-users",endpoint="ask_introspect",status="401"`: 1,
		`profile="ocd-users",endpoint="ask_forward",status="200"`: 1, `profile="",endpoint="other",status="404"`: 1,
	} {
		words := strings.Split(name, ",") // labels are in the order of their names
		if n := s.metric(t, "authcompat_http_requests_total{"+words[1]+","+words[0]+","+words[2]+"}"); n != want {
			t.Errorf("%s: %v, want %v", name, n, want)
		}
	}

	reload := func() {
		t.Helper()
		if err := s.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s.callers, callersFile("another secret"))
	reload()
	eventually(t, "the callers are reloaded", func() bool { return s.introspected(t, "another secret", token).status == http.StatusOK })
	if got := s.introspected(t, callerSecret, token); got.status != http.StatusUnauthorized {
		t.Errorf("the former secret: %v", got)
	}
	put(t, s.callers, callersFile("another secret")+"service: "+callerSecret+"\n")
	reload()
	eventually(t, "the reload fails", func() bool { return strings.Contains(s.log.String(), "reload failed") })
	if got := s.introspected(t, "another secret", token); got.status != http.StatusOK {
		t.Errorf("after a reload that failed: %v", got)
	}
	log := s.log.String()
	for _, want := range []string{s.callers + ":2:1: service: want sha256:", `"endpoint":"ask_introspect","status":401`, `"endpoint":"ask_forward","status":200`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	for _, secret := range []string{token, callerSecret, "another secret"} {
		if strings.Contains(log, secret) {
			t.Errorf("%s is in the log: %s", secret, log)
		}
	}
}

// TestAskWarnings warns of callers that all may read, and of an address that is everybody's.
func TestAskWarnings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "callers")
	put(t, file, callersFile("x"))
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, append(cheap, "--profile", "snippit", "--ask", "0.0.0.0:0", "--callers-file", file, "--store", database(t))...)
	for _, want := range []string{"others may read the file of the callers", "the listener for proxies and services at 0.0.0.0:0 has no TLS"} {
		eventually(t, want, func() bool { return strings.Contains(p.log.String(), want) })
	}
}

// TestSnippetRefusals asks for configurations that can't be printed.
func TestSnippetRefusals(t *testing.T) {
	for args, want := range map[string]string{
		"apache --profile snippit":            `authcompat: "apache" is no proxy that is known here: want nginx, traefik, caddy, haproxy, envoy`,
		"nginx":                               "authcompat: which API? Give --profile NAME or FILE; built in are authtokens, dj-rest-auth, djoser, drf-authtoken, form-auth, knox, knox-5, knox-auth, ocd-users, snippit",
		"nginx --profile snippit --lua":       "authcompat: --lua is for haproxy",
		"caddy --profile snippit --ask :8082": `authcompat: --ask: ":8082" is no address: want HOST:PORT, for instance 127.0.0.1:8082`,
	} {
		if got := refused(t, "", append([]string{"front", "snippet"}, strings.Fields(args)...)...); got != want+"\n" {
			t.Errorf("%s: %s", args, got)
		}
	}
}
