package recorded_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance/recorded"
)

func load(t *testing.T, name string) []recorded.Sequence {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	sequences, err := recorded.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return sequences
}

// A genuine is a server that gives the answers of a recording, one after the other.
type genuine struct {
	mu       sync.Mutex
	answers  []recorded.Answer
	requests []string // method, path, Authorization, body
}

func newGenuine(sequences []recorded.Sequence) *genuine {
	g := &genuine{}
	for _, s := range sequences {
		g.answers = append(g.answers, s.Answers...)
	}
	return g
}

func (g *genuine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	g.requests = append(g.requests, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+string(body))
	answer := g.answers[0]
	g.answers = g.answers[1:]
	w.Header()["Content-Type"] = nil
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	io.WriteString(w, strings.NewReplacer(
		"<hex40>", strings.Repeat("0123456789", 4), "<hex64>", strings.Repeat("01234567", 8),
		"<datetime>", "2020-12-05T04:32:49.391286Z", "<id>", "12", "<html>", "<p>any page",
		"<login>", `{"user": {}, "token": "`+strings.Repeat("0123456789", 4)+`"}`, "<account>", `{"username": "john"}`,
	).Replace(answer.Body))
}

func TestRecordingsReplay(t *testing.T) {
	for _, test := range []struct {
		profile string
		byValue bool
		steps   int
	}{{"ocd-users", false, 156}, {"knox-auth", false, 124}, {"form-auth", false, 79}, {"snippit", true, 117}} {
		t.Run(test.profile, func(t *testing.T) {
			sequences := load(t, test.profile)
			server := httptest.NewServer(newGenuine(sequences))
			defer server.Close()
			results, err := recorded.Replay(t.Context(), server.URL, sequences, recorded.Options{Profile: test.profile, ByValue: test.byValue})
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != test.steps {
				t.Errorf("%d results, want %d", len(results), test.steps)
			}
			for _, r := range results {
				if r.Failed() {
					t.Error(r)
				}
			}
		})
	}
}

// one is a recording of one sequence: a login, and what follows.
func one(answers ...recorded.Answer) []recorded.Sequence {
	s := recorded.Sequence{Name: "logout/ok", Answers: answers}
	s.Steps = []recorded.Step{
		{Method: "POST", Path: "/login/", Headers: [][2]string{{"Authorization", "Token {{token8}}"}}, Body: "j\u00ffhn"},
		{Method: "POST", Path: "/logout/", Headers: [][2]string{{"Authorization", "Token {{token-1}} {{token}}"}}},
	}[:len(answers)]
	return []recorded.Sequence{s}
}

func loginAnswer() recorded.Answer {
	return recorded.Answer{Status: 200, Headers: map[string]string{"content-type": "application/json"}, Body: `{"token":"<hex40>"}`}
}

func TestTokensAndBytes(t *testing.T) {
	sequences := one(loginAnswer(), recorded.Answer{Status: 204})
	g := newGenuine(sequences)
	server := httptest.NewServer(g)
	defer server.Close()
	if _, err := recorded.Replay(t.Context(), server.URL, sequences, recorded.Options{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST /login/ Token ffffffff j\xffhn",
		"POST /logout/ Token 012345678901234567890123456789012345678 0123456789012345678901234567890123456789 ",
	}
	if diff := cmp.Diff(want, g.requests); diff != "" {
		t.Error(diff)
	}
}

func TestDifferences(t *testing.T) {
	for _, test := range []struct {
		name    string
		genuine recorded.Answer
		ours    recorded.Answer
		byValue bool
		want    []string
	}{
		{"status", recorded.Answer{Status: 204}, recorded.Answer{Status: 200}, false, []string{"status: genuine 204, ours 200"}},
		{"header", recorded.Answer{Status: 401, Headers: map[string]string{"www-authenticate": "Token"}},
			recorded.Answer{Status: 401, Headers: map[string]string{"allow": "POST"}}, false,
			[]string{`www-authenticate: genuine "Token", ours none`, `allow: genuine none, ours "POST"`}},
		{"body", recorded.Answer{Status: 200, Body: `{"a": 1}`}, recorded.Answer{Status: 200, Body: `{"a":1}`}, false,
			[]string{`body: genuine "{\"a\": 1}", ours "{\"a\":1}"`}},
		{"by value", recorded.Answer{Status: 200, Body: `{"a": [1, null], "b": "x"}`}, recorded.Answer{Status: 200, Body: `{"b":"x","a":[1,null]}`}, true, nil},
		{"by value, another", recorded.Answer{Status: 200, Body: `{"a": 1}`}, recorded.Answer{Status: 200, Body: `{"a": 1.0}`}, true,
			[]string{`body: genuine "{\"a\": 1}", ours "{\"a\": 1.0}"`}},
		{"by value, a key twice", recorded.Answer{Status: 200, Body: `{"a":1,"b":2}`}, recorded.Answer{Status: 200, Body: `{"a":1,"a":1}`}, true,
			[]string{`body: genuine "{\"a\":1,\"b\":2}", ours "{\"a\":1,\"a\":1}"`}},
		{"no token", recorded.Answer{Status: 200, Body: `<login>`}, recorded.Answer{Status: 200, Body: `{"token":""}`}, true,
			[]string{`body: genuine "<login>", ours "{\"token\":\"\"}"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(newGenuine(one(test.ours)))
			defer server.Close()
			results, err := recorded.Replay(t.Context(), server.URL, one(test.genuine), recorded.Options{ByValue: test.byValue})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, results[0].Differences); diff != "" {
				t.Error(diff)
			}
			if results[0].Failed() != (test.want != nil) {
				t.Error(results[0])
			}
		})
	}
}

func TestExpectedDifferences(t *testing.T) {
	expected, err := recorded.ParseExpected([]byte(`
- {profile: p, sequence: logout/ok, step: 1, reason: because}
- {profile: p, sequence: logout/ok, step: 2, reason: no longer so}
- {profile: p, sequence: logout/ok, step: 3, reason: never was}
- {profile: other, sequence: logout/ok, step: 9, reason: not asked}
`))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newGenuine(one(recorded.Answer{Status: 500}, recorded.Answer{Status: 204})))
	defer server.Close()
	results, err := recorded.Replay(t.Context(), server.URL, one(loginAnswer(), recorded.Answer{Status: 204}), recorded.Options{Profile: "p", Expected: expected})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		got = append(got, string(r.Outcome)+": "+r.Reason)
	}
	want := []string{"expected difference: because", "unexpected pass: no longer so", "unexpected pass: never was"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	results, err := recorded.Replay(t.Context(), "http://"+address, one(loginAnswer(), recorded.Answer{Status: 204}), recorded.Options{Timeout: 5 * time.Second})
	if err != nil || len(results) != 1 || results[0].Outcome != recorded.NoAnswer || !results[0].Failed() {
		t.Errorf("got %v, %v", results, err)
	}
	if _, err := recorded.Replay(t.Context(), "nowhere", nil, recorded.Options{}); err == nil {
		t.Error("a base URL that is none: accepted")
	}
}

func TestBadFiles(t *testing.T) {
	for _, text := range []string{"", "{}", `[{"name":""}]`, `[{"name":"a"}]`, `[{"name":"a","steps":[{}],"answers":[]}]`,
		`[{"name":"a","steps":[{"body":"\u0100"}],"answers":[{}]}]`,
		`[{"name":"a","steps":[{}],"answers":[{}]},{"name":"a","steps":[{}],"answers":[{}]}]`} {
		if _, err := recorded.Parse([]byte(text)); err == nil {
			t.Errorf("recording %s: accepted", text)
		}
	}
	for _, text := range []string{"- {profile: p}", "- {profile: p, sequence: s, step: 0, reason: r}", "- {profil: p}", "a",
		"- &a {profile: p, sequence: s, step: 1, reason: r}\n- *a"} {
		if _, err := recorded.ParseExpected([]byte(text)); err == nil {
			t.Errorf("expected differences %s: accepted", text)
		}
	}
	if e, err := recorded.ParseExpected(nil); err != nil || len(e) != 0 {
		t.Errorf("an empty list: %v, %v", e, err)
	}
}
