package deviations_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/deviations"
)

func known(t *testing.T) deviations.List {
	t.Helper()
	list, err := deviations.Known()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestKnownExchangesExist checks that every exchange in the list exists. Stale entries for recordings
// and random requests are found by those comparisons themselves.
func TestKnownExchangesExist(t *testing.T) {
	list := known(t).Of(deviations.Exchanges, "")
	if len(list) == 0 {
		t.Error("the list is empty")
	}
	for _, d := range list {
		for _, profile := range d.Profiles {
			file, err := conformance.Builtin(profile)
			if err != nil {
				t.Errorf("%s: %v", d.Name, err)
				continue
			}
			if !slices.ContainsFunc(file.Exchanges, func(e conformance.Exchange) bool { return e.Name == d.Exchange }) {
				t.Errorf("%s: profile %s has no exchange %q", d.Name, profile, d.Exchange)
			}
		}
	}
}

const list = `
- {name: an exchange, reason: r, profiles: [a, b], exchange: login}
- {name: a step, reason: r, profiles: [a], recorded: {sequence: login, step: 2}}
- {name: another status, reason: r, random: {reference: "500", subject: 4xx}}
- {name: a part, reason: r, profiles: [b], random: {parts: [body, allow], request: '^POST /login/ '}}
`

func parse(t *testing.T, text string) deviations.List {
	t.Helper()
	l, err := deviations.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFind(t *testing.T) {
	l := parse(t, list)
	random := func(profile string, reference, subject int, request string, parts ...string) *deviations.Deviation {
		return l.InRandom(profile, deviations.Difference{Reference: reference, Subject: subject, Parts: parts, Request: []byte(request)})
	}
	for _, test := range []struct {
		what string
		got  *deviations.Deviation
		want string // empty: none
	}{
		{"exchange", l.InExchange("b", "login"), "an exchange"},
		{"another exchange", l.InExchange("b", "logout"), ""},
		{"exchange of another profile", l.InExchange("c", "login"), ""},
		{"step", l.InRecording("a", deviations.Step{Sequence: "login", Number: 2}), "a step"},
		{"another step", l.InRecording("a", deviations.Step{Sequence: "login", Number: 1}), ""},
		{"step of another profile", l.InRecording("b", deviations.Step{Sequence: "login", Number: 2}), ""},
		{"statuses", random("c", 500, 404, "GET / ", "status", "body"), "another status"},
		{"another status of the reference", random("c", 501, 404, "GET / "), ""},
		{"another class of the subject", random("c", 500, 500, "GET / "), ""},
		{"parts and request", random("b", 200, 200, "POST /login/ HTTP/1.1\r\n", "body"), "a part"},
		{"one part more", random("b", 200, 200, "POST /login/ HTTP/1.1\r\n", "body", "vary"), ""},
		{"another request", random("b", 200, 200, "GET /login/ HTTP/1.1\r\n", "body"), ""},
		{"another profile", random("a", 200, 200, "POST /login/ HTTP/1.1\r\n", "body"), ""},
	} {
		got := ""
		if test.got != nil {
			got = test.got.Name
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.what, got, test.want)
		}
	}
}

func TestUnmet(t *testing.T) {
	l := parse(t, list)
	for _, test := range []struct {
		comparison deviations.Comparison
		profile    string
		met        map[string]int
		want       []string
	}{
		{deviations.Exchanges, "a", nil, []string{"an exchange"}},
		{deviations.Exchanges, "a", map[string]int{"an exchange": 1}, nil},
		{deviations.Exchanges, "c", nil, nil},
		{deviations.Recordings, "a", nil, []string{"a step"}},
		{deviations.RandomRequests, "", nil, []string{"another status", "a part"}},
		{deviations.RandomRequests, "a", nil, []string{"another status"}},
		{deviations.RandomRequests, "", map[string]int{"another status": 9}, []string{"a part"}},
	} {
		var got []string
		for _, d := range l.Unmet(test.comparison, test.profile, test.met) {
			got = append(got, d.Name)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%d, %q, %v: %s", test.comparison, test.profile, test.met, diff)
		}
	}
}

// refused are lists with one mistake each, and the error for it.
func refused() map[string]string {
	return map[string]string{
		"a":                                  "cannot unmarshal",
		"[]\n---\n[]":                        "want one YAML document",
		"- {reason: r, random: {}}":          "entry 1: want a name of its own",
		"- {nam: a}":                         "field nam not found",
		"- {name: a, random: {}}":            "a: want a reason",
		"- {name: a, reason: r}":             "a: want one of exchange, recorded and random",
		"- {name: a, reason: r, random: {}}": "a: random: want a condition",
		"- {name: a, reason: r, exchange: e, random: {subject: 4xx}}":                                                                     "a: want one of exchange, recorded and random",
		"- {name: a, reason: r, random: {subject: 600}}":                                                                                  `a: random: "600" is no status`,
		"- {name: a, reason: r, random: {subject: 4x}}":                                                                                   `a: random: "4x" is no status`,
		"- {name: a, reason: r, random: {request: '('}}":                                                                                  "a: random: request: error parsing regexp",
		"- {name: a, reason: r, random: {ours: 4xx}}":                                                                                     "field ours not found",
		"- {name: a, reason: r, exchange: e}":                                                                                             "a: want the profiles in which it occurs",
		"- {name: a, reason: r, profiles: [p], recorded: {sequence: s}}":                                                                  "a: recorded: want a sequence, and a step from 1",
		"- {name: a, reason: r, profiles: [p], recorded: {step: 1}}":                                                                      "a: recorded: want a sequence, and a step from 1",
		"- &a {name: a, reason: r, random: {subject: 4xx}}\n- *a":                                                                         "entry 2: want a name of its own",
		"- {name: a, reason: r, profiles: [p, q], exchange: e}\n- {name: b, reason: r, profiles: [q], exchange: e}":                       `b: another entry is about q, exchange "e"`,
		"- {name: a, reason: r, profiles: [p], recorded: &s {sequence: s, step: 1}}\n- {name: b, reason: r, profiles: [p], recorded: *s}": "b: another entry is about p, s, step 1",
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range refused() {
		if _, err := deviations.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	if l, err := deviations.Parse(nil); err != nil || len(l) != 0 {
		t.Errorf("an empty list: %v, %v", l, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(list))
	for text := range refused() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := deviations.Parse(data)
		if err != nil && l != nil {
			t.Error("a list beside an error")
		}
		for _, d := range l {
			if d.Name == "" || d.Reason == "" {
				t.Errorf("accepted without name or reason: %+v", d)
			}
			l.InRandom("", deviations.Difference{Reference: 200, Subject: 200, Request: data})
		}
	})
}
