package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
)

// A fake is a server of the API that testdata/fake.yaml documents.
type fake struct {
	mu     sync.Mutex
	users  map[string]conformance.User
	tokens map[string]fakeToken
	ahead  time.Duration // of the clock
	taken  string        // the sentence for a taken name
	issued int
	names  []string // in the order of registration
}

type fakeToken struct {
	username string
	expires  time.Time
}

func newFake() *fake {
	return &fake{users: map[string]conformance.User{}, tokens: map[string]fakeToken{}, taken: "This name is taken."}
}

func (f *fake) now() time.Time { return time.Now().Add(f.ahead) }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header()["X-Fake"] = []string{"yes"}
	w.Header().Set("Content-Type", "application/json")
	body, _ := io.ReadAll(r.Body)
	var in struct{ Username, Password, Email string }
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		r.Body = io.NopCloser(bytes.NewReader(body))
		in.Username, in.Password = r.FormValue("username"), r.FormValue("password")
	} else {
		json.Unmarshal(body, &in)
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /register":
		if _, ok := f.users[in.Username]; ok {
			fail(w, 400, f.taken)
			return
		}
		f.users[in.Username] = conformance.User{Username: in.Username, Password: in.Password, Email: in.Email}
		f.names = append(f.names, in.Username)
		f.issue(w, 201, in.Username)
	case "POST /login":
		u, ok := f.users[in.Username]
		switch {
		case len(body) > 3000 && r.Header["Content-Type"] == nil && body[3000] == 0xff:
			fail(w, 413, "Too large.")
		case !ok || u.Password != in.Password || u.Inactive:
			fail(w, 400, "Wrong.")
		default:
			f.issue(w, 200, in.Username)
		}
	case "POST /logout":
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Token ")
		if _, ok := f.tokens[key]; !ok {
			f.invalid(w)
			return
		}
		delete(f.tokens, key)
		w.Header()["Content-Type"] = nil
		w.WriteHeader(204)
	case "GET /me", "GET /place":
		token, ok := f.tokens[r.URL.Query().Get("token")]
		u := f.users[token.username]
		switch {
		case !ok || token.expires.Before(f.now()):
			f.invalid(w)
		case r.URL.Path == "/place":
			fmt.Fprintf(w, `{"place": %q}`, u.Attributes["place"])
		default:
			fmt.Fprintf(w, `{"username": %q, "email": %q, "at": %q}`, u.Username, u.Email, f.now().UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	default:
		w.Header()["X-Twice"] = r.Header["X-Twice"]
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(404)
		io.WriteString(w, "<h1>nothing here</h1>")
	}
}

func (f *fake) issue(w http.ResponseWriter, status int, username string) {
	f.issued++
	key := fmt.Sprintf("%040x", 0xabc000+f.issued)
	f.tokens[key] = fakeToken{username: username, expires: f.now().Add(24 * time.Hour)}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"username": %q, "token": %q}`, username, key)
}

func (f *fake) invalid(w http.ResponseWriter) {
	w.Header()["WWW-Authenticate"] = []string{"Token"}
	fail(w, 401, "Invalid token.")
}

func fail(w http.ResponseWriter, status int, sentence string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error": %q}`, sentence)
}

// A process is a Host of fakes: a fresh one for each exchange, with its state in reach.
type process struct{ broken func(*fake) }

func (p process) Open(context.Context, string) (*conformance.Server, error) {
	f := newFake()
	if p.broken != nil {
		p.broken(f)
	}
	server := httptest.NewServer(f)
	return &conformance.Server{URL: server.URL, Fresh: true, State: f, Close: func() error { server.Close(); return nil }}, nil
}

func (f *fake) CreateUser(_ context.Context, u conformance.User) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users[u.Username] = u
	return nil
}

func (f *fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now()
}

func (f *fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead += d
}

func files(t *testing.T) []*conformance.File { return load(t, "testdata/fake.yaml") }

func load(t *testing.T, name string) []*conformance.File {
	t.Helper()
	f, err := conformance.LoadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return []*conformance.File{f}
}

// outcomes are the results that are not Passed, as "name: outcome: reason".
func outcomes(r *conformance.Report) []string {
	var lines []string
	for _, p := range r.Profiles {
		for _, result := range p.Results {
			if result.Outcome != conformance.Passed {
				lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s: %s: %s", result.Exchange, result.Outcome, result.Reason), ": "))
			}
		}
	}
	return lines
}

func TestRunInProcess(t *testing.T) {
	var each []string
	report := conformance.Run(t.Context(), files(t), process{}, conformance.Options{
		Each: func(profile string, r conformance.Result) { each = append(each, profile+" "+r.Exchange) },
	})
	if diff := cmp.Diff([]string(nil), outcomes(report)); diff != "" {
		t.Error(diff)
	}
	if report.Outcome() != conformance.Passed || report.Totals().Passed != 11 || report.Profiles[0].URL != "" {
		t.Errorf("%s, %+v, at %q", report.Outcome(), report.Totals(), report.Profiles[0].URL)
	}
	if len(each) != 11 || each[1] != "fake taken" {
		t.Errorf("each: %q", each)
	}
}

// At a running server names are made unique, so that a second run passes too, and what cannot be
// replayed is listed.
func TestRunAtTarget(t *testing.T) {
	f := newFake()
	server := httptest.NewServer(f)
	defer server.Close()
	want := []string{
		"a day later: not replayable: the clock of a running server cannot be moved",
		"an inactive user: not replayable: an inactive user cannot be made through the API",
		"attributes: not replayable: a user's attributes cannot be set through the API",
		"a limit: not replayable: only authcompat answers so: the limit is this test's",
	}
	for range 2 {
		report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": server.URL}, conformance.Options{})
		if diff := cmp.Diff(want, outcomes(report)); diff != "" {
			t.Error(diff)
		}
		if report.Outcome() != conformance.Passed || report.Profiles[0].URL != server.URL {
			t.Errorf("%s at %s", report.Outcome(), report.Profiles[0].URL)
		}
	}
	seen := map[string]bool{}
	for _, name := range f.names {
		if seen[name] || len(name) > 30 || !strings.Contains(name, "-") {
			t.Errorf("username %s", name)
		}
		seen[name] = true
	}
}

func TestRunWithSharedUser(t *testing.T) {
	f := newFake()
	f.users["shared"] = conformance.User{Username: "shared", Password: "its password"}
	server := httptest.NewServer(f)
	defer server.Close()
	target := conformance.Target{"shared": server.URL}
	report := conformance.Run(t.Context(), load(t, "testdata/shared.yaml"), target, conformance.Options{User: "shared", Password: "its password"})
	want := []string{
		"own: not replayable: a user of its own is needed, and a shared one is given",
		"two: not replayable: 2 users are needed, and one is given",
		"address: not replayable: the address of the given user is not known",
	}
	if diff := cmp.Diff(want, outcomes(report)); diff != "" {
		t.Error(diff)
	}
	report = conformance.Run(t.Context(), load(t, "testdata/shared.yaml"), target, conformance.Options{})
	for i := range want {
		name, _, _ := strings.Cut(want[i], ":")
		want[i] = name + ": not replayable: the API has no way to make a user, and none is given"
	}
	want = append([]string{"login: not replayable: the API has no way to make a user, and none is given"}, want...)
	if diff := cmp.Diff(want, outcomes(report)); diff != "" {
		t.Error(diff)
	}
	if report.Outcome() != conformance.Passed {
		t.Errorf("outcome %s", report.Outcome())
	}
}

func TestRunMismatch(t *testing.T) {
	report := conformance.Run(t.Context(), files(t), process{broken: func(f *fake) { f.taken = "This name is Taken." }}, conformance.Options{})
	if report.Outcome() != conformance.Mismatch || report.Totals() != (conformance.Totals{Passed: 10, Mismatches: 1}) {
		t.Fatalf("%s, %+v", report.Outcome(), report.Totals())
	}
	got := report.Profiles[0].Results[1]
	at := func(line, column int) conformance.Position {
		return conformance.Position{File: "testdata/fake.yaml", Line: line, Column: column}
	}
	want := conformance.Result{
		Exchange: "taken", Source: "fake.md, Register, Errors", Position: at(22, 5), Outcome: conformance.Mismatch, Duration: got.Duration,
		Step: &conformance.FailedStep{Number: 1, Position: at(26, 9), Request: "POST /register"},
		Differences: []conformance.Difference{{
			Position: at(27, 37), Part: "body", Problem: "body differs at byte 24 (line 1, column 25)",
			Want: `{"error": "This name is taken."}`, Got: `{"error": "This name is Taken."}`, Offset: 24, Line: 1, Column: 25,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A create_user that fails is a mismatch of the exchange that needs the user.
func TestRunCannotCreateUser(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": server.URL}, conformance.Options{})
	got := report.Profiles[0].Results[1]
	if got.Outcome != conformance.Mismatch || got.Step.Number != 0 || got.Step.Position.Line != 8 || got.Differences[0].Problem != "status is 404, want 201" {
		t.Errorf("got %+v", got)
	}
}

func TestRunUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	listener.Close()
	report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": address}, conformance.Options{})
	if report.Outcome() != conformance.CouldNotRun || report.Totals() != (conformance.Totals{CouldNotRun: 11}) {
		t.Errorf("%s, %+v", report.Outcome(), report.Totals())
	}
	results := report.Profiles[0].Results
	if !strings.Contains(results[0].Reason, "connection refused") || results[1].Reason != "not tried: the server could not be reached" {
		t.Errorf("%q, %q", results[0].Reason, results[1].Reason)
	}
}

func TestRunHang(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": server.URL}, conformance.Options{Timeout: 50 * time.Millisecond})
	var reasons []string
	for _, r := range report.Profiles[0].Results[:3] {
		reasons = append(reasons, r.Reason)
	}
	want := []string{"no complete answer in time", "no complete answer in time", "not tried: the server could not be reached"}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Error(diff)
	}
	if report.Outcome() != conformance.CouldNotRun {
		t.Errorf("outcome %s", report.Outcome())
	}
}

func TestRunNoHTTP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "220 mail.example.com ready\r\n")
			conn.Close()
		}
	}()
	report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": "http://" + listener.Addr().String()}, conformance.Options{})
	got := report.Profiles[0].Results[0]
	if got.Outcome != conformance.Mismatch || !strings.HasPrefix(got.Differences[0].Problem, "no HTTP answer: ") {
		t.Errorf("got %+v", got)
	}
}

// A host that cannot open a server, a URL that is none, a profile without target, a context that
// has ended: nothing runs.
func TestRunNothing(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		host conformance.Host
		want string
	}{
		{"host", t.Context(), closed{}, "the database is locked"},
		{"URL", t.Context(), conformance.Target{"fake": "nowhere"}, `the server's URL: "nowhere" is not an http:// or https:// URL with a host`},
		{"target", t.Context(), conformance.Target{}, "no target is given for profile fake"},
		{"context", ended, process{}, "the run was ended"},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := conformance.Run(test.ctx, files(t), test.host, conformance.Options{})
			if got := report.Profiles[0].Results[0]; got.Outcome != conformance.CouldNotRun || got.Reason != test.want {
				t.Errorf("%s: %s", got.Outcome, got.Reason)
			}
			if report.Totals().CouldNotRun != 11 {
				t.Errorf("%+v", report.Totals())
			}
		})
	}
}

type closed struct{}

func (closed) Open(context.Context, string) (*conformance.Server, error) {
	return nil, errors.New("the database is locked")
}

// What captures, answers and options hold of secrets is not in a report.
func TestReportHidesSecrets(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef01234567"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/login" && r.Header.Get("X-Echo") == "" {
			fmt.Fprintf(w, `{"username": "shared", "token": %q}`, token)
			return
		}
		fmt.Fprintf(w, `{"secret": %q, "path": %q}`, body, r.URL)
	}))
	defer server.Close()
	report := conformance.Run(t.Context(), load(t, "testdata/secrets.yaml"), conformance.Target{"secrets": server.URL}, conformance.Options{User: "shared", Password: "a long password"})
	if report.Totals().Mismatches != 2 {
		t.Fatalf("%+v", report.Totals())
	}
	var text, document, junit bytes.Buffer
	if err := errors.Join(report.WriteText(&text, true), report.WriteJSON(&document), report.WriteJUnit(&junit)); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{text.String(), document.String(), junit.String()} {
		if strings.Contains(out, token) || strings.Contains(out, "a long password") {
			t.Errorf("a secret is in\n%s", out)
		}
		if !strings.Contains(out, "0123…") {
			t.Errorf("the token's first characters are not in\n%s", out)
		}
	}
}
