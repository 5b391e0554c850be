package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// The JUnit file has only what the schemas of Jenkins and of pytest, both called junit-10.xsd, allow:
// attributes, and elements in this order.
func TestJUnitIsWhatReadersWant(t *testing.T) {
	var b bytes.Buffer
	if err := report.WriteJUnit(&b, sample()); err != nil {
		t.Fatal(err)
	}
	detail := "type message"
	attributes := map[string]string{
		"testsuites": "name time tests failures errors",
		"testsuite":  "name tests failures errors group time skipped timestamp hostname id package file log url",
		"testcase":   "name time classname group", "properties": "", "property": "name value",
		"failure": detail, "error": detail, "skipped": detail,
	}
	required := map[string]string{"testsuite": "name tests failures errors", "testcase": "name", "property": "name value"}
	children := map[string]string{"": "testsuites", "testsuites": "testsuite", "testsuite": "properties testcase", "properties": "property", "testcase": "failure error skipped"}
	var open, last []string // last: the child of each open element that came last
	open, last = append(open, ""), append(last, "")
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			name, n := e.Name.Local, len(open)-1
			order := strings.Fields(children[open[n]])
			if at := slices.Index(order, name); at < 0 || at < slices.Index(order, last[n]) {
				t.Errorf("<%s> in <%s> after <%s>", name, open[n], last[n])
			}
			last[n] = name
			got := map[string]bool{}
			for _, a := range e.Attr {
				got[a.Name.Local] = true
				if !slices.Contains(strings.Fields(attributes[name]), a.Name.Local) {
					t.Errorf("<%s %s>", name, a.Name.Local)
				}
				if a.Name.Local == "time" && !regexp.MustCompile(`^[0-9]+\.[0-9]{3}$`).MatchString(a.Value) {
					t.Errorf("<%s time=%q>", name, a.Value)
				}
			}
			for _, a := range strings.Fields(required[name]) {
				if !got[a] {
					t.Errorf("<%s> without %s", name, a)
				}
			}
			open, last = append(open, name), append(last, "")
		case xml.EndElement:
			open, last = open[:len(open)-1], last[:len(last)-1]
		}
	}
	if last[0] != "testsuites" {
		t.Error("no <testsuites>")
	}
}

// With JUNIT_XSD=FILE, xmllint checks the file by that schema.
func TestJUnitSchema(t *testing.T) {
	schema := os.Getenv("JUNIT_XSD")
	if schema == "" {
		t.Skip("JUNIT_XSD names no schema")
	}
	for name, r := range map[string]*conformance.Report{"sample": sample(), "nothing": {}} {
		file := filepath.Join(t.TempDir(), "junit.xml")
		var b bytes.Buffer
		if err := report.WriteJUnit(&b, r); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "xmllint", "--noout", "--schema", schema, file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// The page and the badge load nothing and run nothing, whatever servers answer.
// TestControlCharacters has them wherever an exchange file, its name or a server puts text: a terminal would
// obey them, and XML has no place for them.
func TestControlCharacters(t *testing.T) {
	const evil = "a\x1b[31m\x00\ufffe]]>\xff"
	at := conformance.Position{File: evil, Line: 1, Column: 1}
	result := conformance.Result{Exchange: evil, Source: evil, Reason: evil, Position: at,
		Step:        &conformance.FailedStep{Number: 1, Position: at, Request: evil},
		Differences: []conformance.Difference{{Position: at, Part: "body", Problem: evil, Want: evil, Got: evil + "b", Offset: 1}}}
	found := &conformance.Report{Profiles: []conformance.ProfileReport{{Profile: "mine", URL: evil}}}
	for _, outcome := range []conformance.Outcome{conformance.Passed, conformance.Mismatch, conformance.CouldNotRun, conformance.NotReplayable, conformance.NotTried} {
		result.Outcome = outcome
		found.Profiles[0].Results = append(found.Profiles[0].Results, result)
	}
	formats := report.Formats()
	formats = append(formats, report.Format{Name: "text", Write: func(w io.Writer, r *conformance.Report) error { return report.WriteText(w, r, false) }})
	for _, format := range formats {
		var b bytes.Buffer
		if err := format.Write(&b, found); err != nil {
			t.Fatalf("%s: %v", format.Name, err)
		}
		if strings.ContainsAny(b.String(), "\x1b\x00") {
			t.Errorf("%s: %q", format.Name, b.String())
		}
		if format.Name == "junit" || format.Name == "badge" {
			if err := wellFormed(&b); err != nil {
				t.Errorf("%s: %v", format.Name, err)
			}
		}
	}
}

func wellFormed(r io.Reader) error {
	for d := xml.NewDecoder(r); ; {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestPageLoadsNothing(t *testing.T) {
	r := sample()
	const evil = `"'><script src="https://evil.example/x.js"></script><img src=//evil.example/y onerror=alert(1)><!--`
	call := &r.Profiles[0].Results[1].Transcript[0]
	call.Request.Path, call.Request.Body, call.Request.Curl, call.Response.Body = evil, evil, evil, evil
	call.Response.Headers[0] = conformance.Header{Name: evil, Value: evil}
	r.Profiles[1].Results[0].Reason, r.Profiles[1].Profile, r.Profiles[1].URL = evil, evil, evil
	r.Profiles[0].Results[1].Differences[3].Got = evil
	tag := regexp.MustCompile(`(?s)<(/?[a-zA-Z!][^\s>]*)([^>]*)>`)
	for name, write := range map[string]func(io.Writer, *conformance.Report) error{"html": report.WriteHTML, "badge": report.WriteBadge} {
		var b bytes.Buffer
		if err := write(&b, r); err != nil {
			t.Fatal(err)
		}
		for _, m := range tag.FindAllStringSubmatch(b.String(), -1) {
			switch element := strings.ToLower(strings.TrimPrefix(m[1], "/")); element {
			case "script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use", "audio", "video":
				t.Errorf("%s: <%s%s>", name, m[1], m[2])
			}
			if regexp.MustCompile(`(?i)\s(?:src|srcset|action|data|background|poster|xlink:href|on[a-z]+)\s*=`).MatchString(m[2]) ||
				regexp.MustCompile(`(?i)href\s*=\s*"?[^"#]`).MatchString(m[2]) {
				t.Errorf("%s: <%s%s>", name, m[1], m[2])
			}
		}
		style, _, _ := strings.Cut(b.String(), "</style>")
		if regexp.MustCompile(`(?i)@import|url\(`).MatchString(style) {
			t.Errorf("%s: the style loads something", name)
		}
		if name == "html" && strings.Count(b.String(), "evil.example/x.js") < 8 {
			t.Errorf("%s: not everything is shown", name)
		}
	}
}

// A TAP consumer counts as we do.
func TestTAPIsUnderstood(t *testing.T) {
	prove, err := exec.LookPath("prove")
	if err != nil {
		t.Skip("no prove here")
	}
	out, err := exec.CommandContext(t.Context(), prove, "--exec", "cat", "testdata/report.tap").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Tests: 8 Failed: 4)") || !strings.Contains(string(out), "less 3 skipped subtests") || strings.Contains(string(out), "Parse errors") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Earlier reports are known by how they begin, each format by its own.
func TestEarlierReports(t *testing.T) {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
		var b bytes.Buffer
		if err := f.Write(&b, sample()); err != nil {
			t.Fatal(err)
		}
		for _, other := range report.Formats() {
			if got := other.IsReport(bytes.NewReader(b.Bytes())); got != (f.Name == other.Name) {
				t.Errorf("%s is an earlier %s: %v", f.Name, other.Name, got)
			}
		}
		if !f.IsReport(strings.NewReader("")) || f.IsReport(strings.NewReader("<")) {
			t.Errorf("%s: an empty file, or what has just begun", f.Name)
		}
	}
	if diff := cmp.Diff([]string{"html", "junit", "tap", "json", "badge"}, names); diff != "" {
		t.Error(diff)
	}
	if _, err := report.FindFormat("pdf"); err == nil || err.Error() != `unknown format "pdf": want html, junit, tap, json or badge` {
		t.Error(err)
	}
}

// GitHub shows ten annotations: the last one says how many there are besides.
func TestManyAnnotations(t *testing.T) {
	r := &conformance.Report{Profiles: []conformance.ProfileReport{{Profile: "a,b:c"}}}
	for i := range 12 {
		r.Profiles[0].Results = append(r.Profiles[0].Results, conformance.Result{Exchange: fmt.Sprint(i), Outcome: conformance.CouldNotRun, Reason: "100%\nbroken"})
	}
	for n, last := range map[int]string{10: "::error file=,line=0,col=0,title=a%2Cb%3Ac%3A 9::could not run: 100%25\\x0abroken", 12: "::error title=conformance::3 more exchanges failed or could not run"} {
		some := &conformance.Report{Profiles: []conformance.ProfileReport{{Profile: "a,b:c", Results: r.Profiles[0].Results[:n]}}}
		var b bytes.Buffer
		if err := report.WriteAnnotations(&b, some, func(string) bool { return true }); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if len(lines) != 10 || lines[9] != last {
			t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
		}
	}
}
