package conformance_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/conformance"
)

// strict is an exchange whose response says all that it may.
const strict = `profile: strict
usernames: {max: 30}
exchanges:
  - name: all
    source: strict.md
    steps:
      - request: {method: GET, path: /}
        response: {status: 401, headers: {Content-Type: application/json, WWW-Authenticate: Token, X-Once: "1"}, json: {a: 1, b: [true, null]}}
`

// TestEveryByteOfAResponseCounts changes one thing of a response at a time.
func TestEveryByteOfAResponseCounts(t *testing.T) {
	file, err := conformance.Load("strict.yaml", []byte(strict))
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"a":1,"b":[true,null]}`
	for name, test := range map[string]struct {
		change func(http.Header)
		status int
		body   string
		part   string // empty: it is the same
	}{
		"nothing":              {nil, 401, good, ""},
		"another status":       {nil, 400, good, "status"},
		"a header's spelling":  {func(h http.Header) { delete(h, "WWW-Authenticate"); h["Www-Authenticate"] = []string{"Token"} }, 401, good, "header WWW-Authenticate"},
		"a header's value":     {func(h http.Header) { h["WWW-Authenticate"] = []string{"token"} }, 401, good, "header WWW-Authenticate"},
		"a header less":        {func(h http.Header) { delete(h, "X-Once") }, 401, good, "header X-Once"},
		"a header twice":       {func(h http.Header) { h["X-Once"] = []string{"1", "1"} }, 401, good, "header X-Once"},
		"another order":        {nil, 401, `{"b":[true,null],"a":1}`, "body"},
		"another number":       {nil, 401, `{"a":1.0,"b":[true,null]}`, "body"},
		"a key more":           {nil, 401, `{"a":1,"b":[true,null],"c":0}`, "body"},
		"a key less":           {nil, 401, `{"a":1}`, "body"},
		"an element more":      {nil, 401, `{"a":1,"b":[true,null,null]}`, "body"},
		"no JSON":              {nil, 401, good + "}", "body"},
		"an empty body":        {nil, 401, "", "body"},
		"another content type": {func(h http.Header) { h["Content-Type"] = []string{"application/json; charset=utf-8"} }, 401, good, "header Content-Type"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h["Content-Type"], h["WWW-Authenticate"], h["X-Once"] = []string{"application/json"}, []string{"Token"}, []string{"1"}
			if test.change != nil {
				test.change(h)
			}
			w.WriteHeader(test.status)
			fmt.Fprint(w, test.body)
		}))
		report := conformance.Run(t.Context(), []*conformance.File{file}, conformance.Target{"strict": server.URL}, conformance.Options{})
		server.Close()
		var parts []string
		for _, d := range report.Profiles[0].Results[0].Differences {
			parts = append(parts, d.Part)
		}
		if got := strings.Join(parts, ", "); got != test.part || (report.Outcome() == conformance.Passed) != (test.part == "") {
			t.Errorf("%s: differs in %q, want %q; %s", name, got, test.part, report.Outcome())
		}
	}
}

// TestHostileBodies has a target answer with bodies that are large, or become so when they are shown: little of them is kept.
func TestHostileBodies(t *testing.T) {
	file, err := conformance.Load("strict.yaml", []byte(strict))
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 20
	many := func(one string, n int) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	for name, body := range map[string]string{
		"no JSON":       strings.Repeat("\x00", size),
		"many values":   "[" + many("0", size/2-1) + "]",
		"many members":  "{" + many(`"a":0`, size/6-1) + "}",
		"deep and wide": strings.Repeat("[", 190) + many("0", size/4) + strings.Repeat("]", 190),
		"too long":      strings.Repeat("x", size+1),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, body)
		}))
		report := conformance.Run(t.Context(), []*conformance.File{file}, conformance.Target{"strict": server.URL}, conformance.Options{})
		server.Close()
		if report.Outcome() == conformance.Passed {
			t.Errorf("%s: passed", name)
		}
		for _, d := range report.Profiles[0].Results[0].Differences {
			if len(d.Problem) > 8<<10 || len(d.Want)+len(d.Got) > 600<<10 {
				t.Errorf("%s: %d bytes are said of the %s, and %d shown", name, len(d.Problem), d.Part, len(d.Want)+len(d.Got))
			}
		}
	}
}
