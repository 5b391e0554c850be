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

	"github.com/authcompat/authcompat/conformance/deviations"
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

// A reference is a server that plays back the responses of a recording in order.
type reference struct {
	mu        sync.Mutex
	responses []recorded.Response
	requests  []string // method, path, Authorization, body
}

func newReference(sequences []recorded.Sequence) *reference {
	g := &reference{}
	for _, s := range sequences {
		g.responses = append(g.responses, s.Responses...)
	}
	return g
}

func (g *reference) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	g.requests = append(g.requests, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+string(body))
	response := g.responses[0]
	g.responses = g.responses[1:]
	w.Header()["Content-Type"] = nil
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(response.Status)
	io.WriteString(w, strings.NewReplacer(
		"<hex40>", strings.Repeat("0123456789", 4), "<hex64>", strings.Repeat("01234567", 8),
		"<datetime>", "2020-12-05T04:32:49.391286Z", "<id>", "12", "<html>", "<p>any page",
		"<login>", `{"user": {}, "token": "`+strings.Repeat("0123456789", 4)+`"}`, "<account>", `{"username": "john"}`,
	).Replace(response.Body))
}

func TestRecordingsReplay(t *testing.T) {
	for _, test := range []struct {
		profile string
		byValue bool
		steps   int
	}{{"ocd-users", false, 156}, {"knox-auth", false, 124}, {"form-auth", false, 79}, {"snippit", true, 117}} {
		t.Run(test.profile, func(t *testing.T) {
			sequences := load(t, test.profile)
			server := httptest.NewServer(newReference(sequences))
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
func one(responses ...recorded.Response) []recorded.Sequence {
	s := recorded.Sequence{Name: "logout/ok", Responses: responses}
	s.Steps = []recorded.Step{
		{Method: "POST", Path: "/login/", Headers: [][2]string{{"Authorization", "Token {{token8}}"}}, Body: "j\u00ffhn"},
		{Method: "POST", Path: "/logout/", Headers: [][2]string{{"Authorization", "Token {{token-1}} {{token}}"}}},
	}[:len(responses)]
	return []recorded.Sequence{s}
}

func loginResponse() recorded.Response {
	return recorded.Response{Status: 200, Headers: map[string]string{"content-type": "application/json"}, Body: `{"token":"<hex40>"}`}
}

func TestTokensAndBytes(t *testing.T) {
	sequences := one(loginResponse(), recorded.Response{Status: 204})
	g := newReference(sequences)
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
		name      string
		reference recorded.Response
		subject   recorded.Response
		byValue   bool
		want      []string
	}{
		{"status", recorded.Response{Status: 204}, recorded.Response{Status: 200}, false, []string{"status: reference 204, subject 200"}},
		{"header", recorded.Response{Status: 401, Headers: map[string]string{"www-authenticate": "Token"}},
			recorded.Response{Status: 401, Headers: map[string]string{"allow": "POST"}}, false,
			[]string{`www-authenticate: reference "Token", subject none`, `allow: reference none, subject "POST"`}},
		{"body", recorded.Response{Status: 200, Body: `{"a": 1}`}, recorded.Response{Status: 200, Body: `{"a":1}`}, false,
			[]string{`body: reference "{\"a\": 1}", subject "{\"a\":1}"`}},
		{"by value", recorded.Response{Status: 200, Body: `{"a": [1, null], "b": "x"}`}, recorded.Response{Status: 200, Body: `{"b":"x","a":[1,null]}`}, true, nil},
		{"by value, another", recorded.Response{Status: 200, Body: `{"a": 1}`}, recorded.Response{Status: 200, Body: `{"a": 1.0}`}, true,
			[]string{`body: reference "{\"a\": 1}", subject "{\"a\": 1.0}"`}},
		{"by value, a key twice", recorded.Response{Status: 200, Body: `{"a":1,"b":2}`}, recorded.Response{Status: 200, Body: `{"a":1,"a":1}`}, true,
			[]string{`body: reference "{\"a\":1,\"b\":2}", subject "{\"a\":1,\"a\":1}"`}},
		{"no token", recorded.Response{Status: 200, Body: `<login>`}, recorded.Response{Status: 200, Body: `{"token":""}`}, true,
			[]string{`body: reference "<login>", subject "{\"token\":\"\"}"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(newReference(one(test.subject)))
			defer server.Close()
			results, err := recorded.Replay(t.Context(), server.URL, one(test.reference), recorded.Options{ByValue: test.byValue})
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

func TestKnownDeviations(t *testing.T) {
	known, err := deviations.Parse([]byte(`
- {name: a, profiles: [p], recorded: {sequence: logout/ok, step: 1}, reason: because}
- {name: b, profiles: [p], recorded: {sequence: logout/ok, step: 2}, reason: no longer so}
- {name: c, profiles: [p], recorded: {sequence: logout/ok, step: 3}, reason: never was}
- {name: d, profiles: [other], recorded: {sequence: logout/ok, step: 9}, reason: not asked}
`))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newReference(one(recorded.Response{Status: 500}, recorded.Response{Status: 204})))
	defer server.Close()
	results, err := recorded.Replay(t.Context(), server.URL, one(loginResponse(), recorded.Response{Status: 204}), recorded.Options{Profile: "p", Known: known})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		got = append(got, string(r.Outcome)+": "+r.Reason)
	}
	want := []string{"known deviation: because", "same: ", "unexpected pass: no longer so", "unexpected pass: never was"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoResponse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	results, err := recorded.Replay(t.Context(), "http://"+address, one(loginResponse(), recorded.Response{Status: 204}), recorded.Options{Timeout: 5 * time.Second})
	if err != nil || len(results) != 1 || results[0].Outcome != recorded.NoResponse || !results[0].Failed() {
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
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"[]", `[{"name":"a"}]`, `[{"name":"a","steps":[{"body":"\u0100"}],"answers":[{}]}]`,
		`[{"name":"a","steps":[{"method":"POST","path":"/login/","headers":[["Authorization","Token {{token-1}} {{token8}}"]],"body":"j\u00ff"}],` +
			`"answers":[{"status":200,"headers":{"content-type":"application/json"},"body":"{\"token\":\"<hex40>\"}"}]}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sequences, err := recorded.Parse(data)
		if err != nil {
			return
		}
		for _, s := range sequences {
			if s.Name == "" || len(s.Steps) == 0 || len(s.Steps) != len(s.Responses) {
				t.Errorf("accepted: %+v", s)
			}
		}
	})
}
