package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
	"github.com/authcompat/authcompat/conformance/wire"
)

func TestRunInProcess(t *testing.T) {
	var each []string
	report := conformance.Run(t.Context(), files(t), process{}, conformance.Options{
		Each: func(profile string, r conformance.Result) { each = append(each, profile+" "+r.Exchange) },
	})
	if diff := cmp.Diff([]string(nil), outcomes(report)); diff != "" {
		t.Error(diff)
	}
	if report.Outcome() != conformance.Passed || report.Totals().Passed != 13 || report.Profiles[0].URL != "" {
		t.Errorf("%s, %+v, at %q", report.Outcome(), report.Totals(), report.Profiles[0].URL)
	}
	if len(each) != 13 || each[1] != "fake taken" {
		t.Errorf("each: %q", each)
	}
}

// At a running server, names are made unique so that a second run passes too, and exchanges that
// can't be replayed are listed.
func TestRunAtTarget(t *testing.T) {
	f := newFake()
	server := httptest.NewServer(f)
	defer server.Close()
	want := []string{
		"a day later: not replayable: the clock of a running server cannot be moved",
		"an inactive user: not replayable: an inactive user cannot be made through the API",
		"attributes: not replayable: a user's attributes cannot be set through the API",
		"a limit: not replayable: only authcompat answers so: the limit is this test's",
		"a link: not replayable: the mails of a running server cannot be read",
		"a key: not replayable: the mails of a running server cannot be read",
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
		"own: not replayable: a dedicated user is needed, and a shared one is given",
		"two: not replayable: 2 users are needed, and one is given",
		"address: not replayable: the address of the given user is not known",
	}
	if diff := cmp.Diff(want, outcomes(report)); diff != "" {
		t.Error(diff)
	}
	report = conformance.Run(t.Context(), load(t, "testdata/shared.yaml"), target, conformance.Options{})
	for i := range want {
		name, _, _ := strings.Cut(want[i], ":")
		want[i] = name + ": not replayable: john is not given (--given, --user), and the exchange file has no way to make users"
	}
	want = append([]string{"login: not replayable: john is not given (--given, --user), and the exchange file has no way to make users"}, want...)
	if diff := cmp.Diff(want, outcomes(report)); diff != "" {
		t.Error(diff)
	}
	if report.Outcome() != conformance.Passed {
		t.Errorf("outcome %s", report.Outcome())
	}
}

func TestRunMismatch(t *testing.T) {
	report := conformance.Run(t.Context(), files(t), process{broken: func(f *fake) { f.taken = "This name is Taken." }}, conformance.Options{})
	if report.Outcome() != conformance.Mismatch || report.Totals() != (conformance.Totals{Passed: 12, Mismatches: 1}) {
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
			Position: at(27, 39), Part: "body", Problem: "body differs at byte 24 (line 1, column 25)",
			Want: `{"error": "This name is taken."}`, Got: `{"error": "This name is Taken."}`, Offset: 24, Line: 1, Column: 25,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// With FailFast, the first failure ends the run of all files, and the rest is not tried. What cannot be
// replayed is no failure.
func TestRunFailFast(t *testing.T) {
	f := newFake()
	f.taken = "This name is Taken."
	server := httptest.NewServer(f)
	defer server.Close()
	var begun []string
	report := conformance.Run(t.Context(), append(files(t), files(t)...), conformance.Target{"fake": server.URL}, conformance.Options{
		FailFast: true, Begin: func(profile, url string) { begun = append(begun, profile+" at "+url) },
	})
	if diff := cmp.Diff([]string{"fake at " + server.URL, "fake at "}, begun); diff != "" {
		t.Error(diff)
	}
	if report.Totals() != (conformance.Totals{Passed: 1, Mismatches: 1, NotTried: 11 + 13}) || report.Outcome() != conformance.Mismatch {
		t.Errorf("%s, %+v", report.Outcome(), report.Totals())
	}
	if got := report.Profiles[1].Results[0]; got.Outcome != conformance.NotTried || got.Reason != "an earlier exchange failed" {
		t.Errorf("%s: %s", got.Outcome, got.Reason)
	}

	some := files(t)[0].Matching(regexp.MustCompile("^a (day|page|limit)"))
	report = conformance.Run(t.Context(), []*conformance.File{some}, conformance.Target{"fake": server.URL}, conformance.Options{FailFast: true})
	if report.Totals() != (conformance.Totals{Passed: 1, NotReplayable: 2}) || report.Outcome() != conformance.Passed {
		t.Errorf("some: %s, %+v", report.Outcome(), report.Totals())
	}
}

// A run that is ended says so once.
func TestRunEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then is it noticed that the client has gone
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	report := conformance.Run(ctx, append(files(t), files(t)...), conformance.Target{"fake": server.URL}, conformance.Options{})
	if report.Totals() != (conformance.Totals{CouldNotRun: 1, NotTried: 25}) {
		t.Errorf("%+v", report.Totals())
	}
	if got := report.Profiles[0].Results[0]; got.Reason != "the run was ended" {
		t.Errorf("%s: %s", got.Outcome, got.Reason)
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
	if report.Outcome() != conformance.CouldNotRun || report.Totals() != (conformance.Totals{CouldNotRun: 1, NotTried: 12}) {
		t.Errorf("%s, %+v", report.Outcome(), report.Totals())
	}
	results := report.Profiles[0].Results
	if !strings.Contains(results[0].Reason, "connection refused") || results[1].Reason != "the server could not be reached" {
		t.Errorf("%q, %q", results[0].Reason, results[1].Reason)
	}
}

func TestRunHang(t *testing.T) {
	t.Parallel() // the server is waited for twice, for so long that it is reached on a busy machine
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": server.URL}, conformance.Options{Timeout: 2 * time.Second})
	var reasons []string
	for _, r := range report.Profiles[0].Results[:3] {
		reasons = append(reasons, r.Reason)
	}
	want := []string{"no complete response in time", "no complete response in time", "the server could not be reached"}
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
	if got.Outcome != conformance.Mismatch || !strings.HasPrefix(got.Differences[0].Problem, "no HTTP response: ") {
		t.Errorf("got %+v", got)
	}
}

// Nothing runs if a launcher can't start a server, a URL is invalid, a profile has no target, or the
// context has ended.
func TestRunNothing(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name     string
		ctx      context.Context
		launcher conformance.Launcher
		want     string
	}{
		{"launcher", t.Context(), closed{}, "the database is locked"},
		{"URL", t.Context(), conformance.Target{"fake": "nowhere"}, `the server's URL: "nowhere" is not an http:// or https:// URL with a host`},
		{"password in a URL", t.Context(), conformance.Target{"fake": "ftp://ann:S3cret@host"}, "the server's URL: a base URL has no user, query or fragment"},
		{"target", t.Context(), conformance.Target{}, "no target is given for profile fake"},
		{"context", ended, process{}, "the run was ended"},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := conformance.Run(test.ctx, files(t), test.launcher, conformance.Options{})
			if got := report.Profiles[0].Results[0]; got.Outcome != conformance.CouldNotRun || got.Reason != test.want {
				t.Errorf("%s: %s", got.Outcome, got.Reason)
			}
			if report.Totals() != (conformance.Totals{CouldNotRun: 1, NotTried: 12}) {
				t.Errorf("%+v", report.Totals())
			}
			if strings.Contains(report.Profiles[0].URL, "S3cret") {
				t.Errorf("it is shown: %s", report.Profiles[0].URL)
			}
		})
	}
}

type closed struct{}

func (closed) Launch(context.Context, string) (*conformance.Server, error) {
	return nil, errors.New("the database is locked")
}

// Secrets in captures, responses and options stay out of the report.
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
	run := conformance.Run(t.Context(), load(t, "testdata/secrets.yaml"), conformance.Target{"secrets": server.URL}, conformance.Options{User: "shared", Password: "a long password"})
	if run.Totals().Mismatches != 2 {
		t.Fatalf("%+v", run.Totals())
	}
	var text, document, junit bytes.Buffer
	if err := errors.Join(report.WriteText(&text, run, true), report.WriteJSON(&document, run), report.WriteJUnit(&junit, run)); err != nil {
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

// TestRunConnect has requests sent by a client of the caller's, and nobody else connect to the server: neither a run nor a look.
func TestRunConnect(t *testing.T) {
	server := httptest.NewServer(newFake())
	defer server.Close()
	const url = "http://nowhere.invalid"
	asked := 0
	options := conformance.Options{Connect: func(got string) (conformance.Client, error) {
		if got != url {
			t.Errorf("connects to %s", got)
		}
		asked++
		return wire.NewClient(server.URL, conformance.DefaultTimeout, nil)
	}}
	if err := conformance.Look(t.Context(), files(t)[0], url, options); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": url}, options); report.Outcome() != conformance.Passed {
		t.Errorf("%s: %q", report.Outcome(), outcomes(report))
	}
	options.Connect = func(string) (conformance.Client, error) { return nil, errors.New("not to be reached") }
	if report := conformance.Run(t.Context(), files(t), conformance.Target{"fake": url}, options); !strings.Contains(strings.Join(outcomes(report), "\n"), "the server's URL: not to be reached") {
		t.Errorf("%q", outcomes(report))
	}
}
