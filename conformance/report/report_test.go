package report_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
)

var update = flag.Bool("update", false, "write testdata/report.* anew")

// sample is a report with every kind of result and difference.
func sample() *conformance.Report {
	at := func(line, column int) conformance.Position {
		return conformance.Position{File: "exchanges/ocd-users.yaml", Line: line, Column: column}
	}
	step := func(n, line int, request string) *conformance.FailedStep {
		return &conformance.FailedStep{Number: n, Position: at(line, 9), Request: request}
	}
	return &conformance.Report{Started: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Profiles: []conformance.ProfileReport{
		{Profile: "ocd-users", URL: "http://127.0.0.1:8000", Results: []conformance.Result{
			{Exchange: "login: the documented example", Source: "apis/ocd-users.md, Login", Position: at(20, 5), Outcome: conformance.Passed, Duration: 1500 * time.Microsecond},
			{Exchange: "register: taken", Source: "apis/ocd-users.md, Registration, Error: Existing Username", Position: at(42, 5), Outcome: conformance.Mismatch, Duration: 2 * time.Millisecond,
				Step: step(2, 47, "POST /api/register/"), Transcript: transcript(at(47, 9)), Differences: []conformance.Difference{
					{Position: at(48, 26), Part: "status", Problem: "status is 409, want 400", Want: "400", Got: "409", Offset: -1},
					{Position: at(10, 5), Part: "header Allow", Problem: "Allow is missing", Want: "Allow: POST, OPTIONS", Offset: -1},
					{Position: at(48, 40), Part: "header Set-Cookie", Problem: "Set-Cookie is there, want none", Got: "Set-Cookie: a\nSet-Cookie: b", Offset: -1},
					{Position: at(48, 51), Part: "body", Problem: "body differs at byte 52 (line 1, column 53)",
						Want: `{"username":["A user with that username already exists."]}`, Got: `{"username":["A user with that username already existed."]}`, Offset: 52, Line: 1, Column: 53},
				}},
			{Exchange: "login: value", Source: "apis/ocd-users.md, Login", Position: at(60, 5), Outcome: conformance.Mismatch,
				Step: step(1, 63, "POST /api/login/"), Differences: []conformance.Difference{
					{Position: at(64, 26), Part: "body", Problem: "body: at $.user.email it differs", Offset: -1,
						Want: "{\n  \"token\": \"<hex64>\",\n  \"user\": {\n    \"id\": 1,\n    \"name\": \"a\",\n    \"email\": \"a@b.c\"\n  },\n  \"x\": 1,\n  \"y\": 2,\n  \"z\": 3\n}",
						Got:  "{\n  \"token\": \"<hex64>\",\n  \"user\": {\n    \"id\": 1,\n    \"name\": \"a\",\n    \"email\": \"a@b.d\"\n  },\n  \"x\": 1,\n  \"y\": 2,\n  \"z\": 3\n}"},
				}},
			{Exchange: "long", Source: "silent: control characters and long lines", Position: at(70, 5), Outcome: conformance.Mismatch,
				Step: step(0, 9, "POST /api/register/"), Differences: []conformance.Difference{
					{Position: at(71, 26), Part: "body", Problem: "body differs at byte 300 (line 1, column 301)",
						Want: strings.Repeat("a", 300) + "b" + strings.Repeat("c", 300), Got: strings.Repeat("a", 300) + "\x1b[31m\xff\u202e]]>" + strings.Repeat("c", 300), Offset: 300, Line: 1, Column: 301},
				}},
			{Exchange: "expiry", Source: "apis/ocd-users.md, Login", Position: at(80, 5), Outcome: conformance.NotReplayable, Reason: "the clock of a running server cannot be moved"},
		}},
		{Profile: "snippit", Results: []conformance.Result{
			{Exchange: "login", Source: "apis/snippit.md, Login", Position: conformance.Position{File: "exchanges/snippit.yaml", Line: 5, Column: 5}, Outcome: conformance.CouldNotRun,
				Reason: "dial tcp 127.0.0.1:9: connect: connection refused", Step: &conformance.FailedStep{Number: 1, Position: conformance.Position{File: "exchanges/snippit.yaml", Line: 8, Column: 9}, Request: "POST /api/auth/login/"}},
			{Exchange: "logout", Source: "apis/snippit.md, Logout", Position: conformance.Position{File: "exchanges/snippit.yaml", Line: 15, Column: 5}, Outcome: conformance.NotTried, Reason: "the server could not be reached"},
			{Exchange: "account", Source: "apis/snippit.md, Account", Position: conformance.Position{File: "exchanges/snippit.yaml", Line: 25, Column: 5}, Outcome: conformance.NotTried, Reason: "the server could not be reached"},
		}},
	}}
}

// transcript has a request with a response, and one without.
func transcript(p conformance.Position) []conformance.Call {
	return []conformance.Call{
		{Step: 1, Position: p, Duration: time.Millisecond, Request: conformance.SentRequest{
			Method: "POST", Path: "/api/register/?a=<b>", Headers: []conformance.Header{{Name: "Host", Value: "127.0.0.1:8000"}, {Name: "X-Odd", Value: "\xff"}},
			Body: `{"username": "<script>alert(1)</script>", "password": "…"}`, Curl: `curl "$URL"'/api/register/'`,
		}, Response: &conformance.GotResponse{Status: 409, Headers: []conformance.Header{{Name: "Set-Cookie", Value: "a=…; Path=/"}}, Body: "one\ntwo\x00\xff"}},
		{Step: 2, Position: p, Request: conformance.SentRequest{Method: "GET", Path: "/", Headers: []conformance.Header{}}, Problem: "no complete response in time"},
	}
}

func TestReports(t *testing.T) {
	for name, write := range map[string]func(io.Writer, *conformance.Report) error{
		"report.txt":       func(w io.Writer, r *conformance.Report) error { return report.WriteText(w, r, false) },
		"report.color.txt": func(w io.Writer, r *conformance.Report) error { return report.WriteText(w, r, true) },
		"report.json":      report.WriteJSON,
		"report.xml":       report.WriteJUnit,
		"report.html":      report.WriteHTML,
		"report.tap":       report.WriteTAP,
		"report.svg":       report.WriteBadge,
		"report.github": func(w io.Writer, r *conformance.Report) error {
			return report.WriteAnnotations(w, r, func(file string) bool { return file == "exchanges/snippit.yaml" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got, sample()); err != nil {
				t.Fatal(err)
			}
			path := "testdata/" + name
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Each line is there when its result is known, and a writer that nobody reads any more ends the run.
func TestTextWriter(t *testing.T) {
	var whole, lines bytes.Buffer
	all := sample()
	if err := report.WriteText(&whole, all, false); err != nil {
		t.Fatal(err)
	}
	w := report.NewTextWriter(&lines, false)
	for i := range all.Profiles {
		p := &all.Profiles[i]
		w.Begin(p.Profile, p.URL)
		for k := range p.Results {
			before := lines.Len()
			if err := w.Result(&p.Results[k]); err != nil {
				t.Fatal(err)
			}
			if now := lines.Len() > before; now != (p.Results[k].Outcome != conformance.NotTried) {
				t.Errorf("%s: written at once: %v", p.Results[k].Exchange, now)
			}
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole.String(), lines.String()); diff != "" {
		t.Error(diff)
	}

	closed := report.NewTextWriter(fullDisk{}, false)
	closed.Begin("fake", "")
	if err := closed.Result(&all.Profiles[0].Results[0]); !errors.Is(err, errFull) {
		t.Errorf("a result: %v", err)
	}
	if err := closed.End(); !errors.Is(err, errFull) {
		t.Errorf("the end: %v", err)
	}
}

var errFull = errors.New("no space left")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
