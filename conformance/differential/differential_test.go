package differential_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance/deviations"
	"github.com/authcompat/authcompat/conformance/differential"
	"github.com/authcompat/authcompat/conformance/wire"
)

func TestGeneratorRepeatsItself(t *testing.T) {
	for _, api := range append(differential.Builtin(), differential.Djoser(true)) {
		one, two, other := differential.NewGenerator(api, 1), differential.NewGenerator(api, 1), differential.NewGenerator(api, 2)
		one.Hostile, two.Hostile, other.Hostile = true, true, true
		same := true
		for i := range 500 {
			a, b, c := one.Next(), two.Next(), other.Next()
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("%s, request %d: %s", api.Name, i, cmp.Diff(a, b))
			}
			same = same && reflect.DeepEqual(a, c)
			if !strings.HasPrefix(a.Path, "/") {
				t.Errorf("%s: path %q", api.Name, a.Path)
			}
			one.Issued()
			two.Issued()
		}
		if same {
			t.Errorf("%s: another seed makes the same requests", api.Name)
		}
	}
}

// A fake issues tokens of its own, and counts those that come back.
type fake struct {
	mu      sync.Mutex
	letter  string
	given   int
	back    int
	other   int
	message string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	token := strings.Repeat(f.letter, 64)
	switch auth := r.Header.Get("Authorization"); {
	case strings.Contains(auth, token):
		f.back++
		w.WriteHeader(http.StatusNoContent)
	case strings.Contains(auth, "{{"):
		f.other++
	case strings.Contains(r.URL.Path, "logout"):
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, f.message)
	default:
		f.given++
		io.WriteString(w, `{"id":`+strings.Repeat("1", f.given%3+1)+`,"expiry":"2020-12-05T04:32:49.391286Z","token":"`+token+`"}`)
	}
}

func TestRunKeepsTheServersTokensApart(t *testing.T) {
	reference, subject := &fake{letter: "c"}, &fake{letter: "d"}
	a, b := httptest.NewServer(reference), httptest.NewServer(subject)
	defer a.Close()
	defer b.Close()
	report, err := differential.Run(t.Context(), differential.OCDUsers(), a.URL, b.URL, differential.Options{Seed: 1, Requests: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Differences {
		t.Errorf("%s", d)
	}
	if report.Requests != 200 || reference.back == 0 || reference.back != subject.back || reference.other+subject.other > 0 {
		t.Errorf("%d requests; tokens that came back: %d and %d; left as they were: %d", report.Requests, reference.back, subject.back, reference.other+subject.other)
	}
}

// sized is a target whose answers have as many bytes as there were answers.
type sized struct {
	answers int
	date    string
}

func (s *sized) Do(context.Context, wire.Request) (*wire.Response, error) {
	s.answers++
	return &wire.Response{Status: 200, Headers: []wire.Header{{Name: "Date", Value: s.date}}, Body: []byte(strings.Repeat("1", s.answers))}, nil
}

func TestCompareExactly(t *testing.T) {
	numbers := 0
	options := differential.Options{Seed: 1, Requests: 20, Exact: true, Before: func(n int) { numbers += n }}
	for name, test := range map[string]struct {
		subject differential.Target
		want    int
	}{
		"the same answers": {&sized{date: "today"}, 0},
		"other answers":    {&sized{answers: 1}, 20},
		"no subject":       {nil, 0},
	} {
		report, err := differential.Compare(t.Context(), differential.OCDUsers(), &sized{}, test.subject, options)
		if err != nil || report.Requests != 20 || report.Statuses[200] != 20 || len(report.Differences) != test.want {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
	if numbers != 3*210 {
		t.Errorf("the numbers of requests add up to %d", numbers)
	}
}

func TestRunReportsAndExplains(t *testing.T) {
	a, b := httptest.NewServer(&fake{letter: "c", message: `{"detail":"x"}`}), httptest.NewServer(&fake{letter: "d", message: `{"detail":"y"}`})
	defer a.Close()
	defer b.Close()
	known, err := deviations.Parse([]byte(`
- {name: another place, reason: r, profiles: [knox-auth], random: {subject: 4xx}}
- {name: another status, reason: r, random: {reference: "500"}}
- {name: another part, reason: r, random: {parts: [status]}}
- {name: another request, reason: r, random: {request: '^NONE '}}
- {name: the sentence, reason: because, random: {reference: "401", subject: 4xx, parts: [body], request: '^POST /api/logout/ '}}
`))
	if err != nil {
		t.Fatal(err)
	}
	report, err := differential.Run(t.Context(), differential.OCDUsers(), a.URL, b.URL, differential.Options{Seed: 1, Requests: 200, Known: known})
	if err != nil {
		t.Fatal(err)
	}
	for name := range report.Explained {
		if name != "the sentence" {
			t.Errorf("explained by %s", name)
		}
	}
	left := report.Unexplained()
	if report.Explained["the sentence"] == 0 || len(left) == 0 || len(left)+report.Explained["the sentence"] != len(report.Differences) {
		t.Fatalf("%d differences, %d of them unexplained, explained %v", len(report.Differences), len(left), report.Explained)
	}
	for _, want := range []string{`| nc HOST PORT`, `body`, `reference "{\"detail\":\"x\"}"`, `subject   "{\"detail\":\"y\"}"`} {
		if text := left[0].String(); !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

func TestRunWithoutAServer(t *testing.T) {
	server := httptest.NewServer(&fake{letter: "c"})
	gone := httptest.NewServer(&fake{letter: "d"})
	gone.Close()
	defer server.Close()
	for _, test := range []struct{ reference, subject, want string }{
		{server.URL, gone.URL, "the subject"}, {gone.URL, server.URL, "the reference server"}, {"nowhere", server.URL, "the reference server's URL"}, {server.URL, "nowhere", "the subject's URL"},
	} {
		_, err := differential.Run(t.Context(), differential.OCDUsers(), test.reference, test.subject, differential.Options{Seed: 1, Requests: 1})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}
