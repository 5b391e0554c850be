package template

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testScope has a fixed time, noon, the user john, and two captures.
func testScope() *Scope {
	noon := time.Date(2020, 12, 4, 12, 0, 0, 0, time.UTC)
	return &Scope{
		Users:    map[string]User{"john": {Username: "john-abc", Password: "secret", Email: "john@example.com"}},
		Captures: map[string]string{"token": strings.Repeat("ab", 20), "id": "12"},
		Before:   noon, After: noon.Add(time.Second),
	}
}

func TestExpand(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"", ""},
		{"plain < text > $ { }", "plain < text > $ { }"},
		{"<hex40>", "<hex40>"},
		{"${john.username}/${john.password}/${john.email}/${id}", "john-abc/secret/john@example.com/12"},
		{"${upper(john.username)} ${upper(upper(token))}", "JOHN-ABC " + strings.Repeat("AB", 20)},
		{"Basic ${basic(john)}", "Basic am9obi1hYmM6c2VjcmV0"},
		{"${repeat(ab, 3)}${repeat(,,,2)}", "ababab,,,,"},
		{"${bytes(00ff)}", "\x00\xff"},
		{"$${john.username} $$", "${john.username} $$"},
	} {
		parsed, problems := Parse(test.source, false)
		if problems != nil {
			t.Errorf("%s: %v", test.source, problems)
			continue
		}
		if got := parsed.Expand(testScope()); got != test.want {
			t.Errorf("%s: got %q, want %q", test.source, got, test.want)
		}
	}
}

func TestMatch(t *testing.T) {
	const forty = "0123456789012345678901234567890123456789"
	for _, test := range []struct {
		name, template, got string
		problem             string
		offset              int
		captures            map[string]string
	}{
		{name: "literal", template: "abc", got: "abc"},
		{name: "a byte differs", template: "abc", got: "abd", problem: "it differs", offset: 2},
		{name: "too short", template: "abc", got: "ab", problem: "it ends too early", offset: 2},
		{name: "too long", template: "abc", got: "abcd", problem: "want the end here", offset: 3},
		{name: "an escaped bracket", template: "<<b> a<1", got: "<b> a<1"},
		{name: "reference", template: `"${john.username}"`, got: `"john-abc"`},
		{name: "reference differs", template: `"${john.username}"`, got: `"john-abd"`, problem: "it differs", offset: 8},
		{name: "hex", template: `"<hex40:key>"`, got: `"` + forty + `"`, captures: map[string]string{"key": forty}},
		{name: "hex, too long", template: `"<hex40>"`, got: `"` + forty + `0"`, problem: "want <hex40> here: there are more hex digits", offset: 1},
		{name: "hex, too short", template: `"<hex40>"`, got: `"` + forty[1:] + `"`, problem: "want <hex40> here", offset: 1},
		{name: "hex, capitals", template: "<hex2>", got: "AB", problem: "want <hex2> here"},
		{name: "hex, a capital follows", template: "<hex2>", got: "abF", problem: "want <hex2> here: there are more hex digits"},
		{name: "not", template: "<hex40, not token>", got: forty},
		{name: "not, but the same", template: "<hex40, not token>", got: strings.Repeat("ab", 20), problem: "want <hex40, not token> here: it is the same as token"},
		{name: "integer", template: "<integer:n>,<integer>,<integer>", got: "0,-12,345", captures: map[string]string{"n": "0"}},
		{name: "integer, leading zero", template: "<integer>", got: "01", problem: "want the end here", offset: 1},
		{name: "two captures, one mismatch", template: "<hex2:a> <hex2:b>", got: "ab zz", problem: "want <hex2:b> here", offset: 3},
		{name: "any time", template: "<datetime> <datetime> <datetime>", got: "2020-12-04T12:00:00Z 1999-01-01T00:00:00.1+05:30 2020-02-29T23:59:59.123456Z"},
		{name: "token68", template: "\"<token68>\" <token68:b>;", got: "\"eyJ.a-b_c~d+e/f==\" x;", captures: map[string]string{"b": "x"}},
		{name: "no token68", template: "<token68>", got: "=a", problem: "want <token68> here"},
		{name: "IMF-fixdate", template: "<datetime, IMF-fixdate>", got: "Sun, 06 Nov 1994 08:49:37 GMT"},
		{name: "IMF-fixdate, no such day", template: "<datetime, IMF-fixdate>", got: "Sun, 36 Nov 1994 08:49:37 GMT", problem: "want <datetime, IMF-fixdate> here: there is no such moment"},
		{name: "no such day", template: "<datetime>", got: "2021-02-29T23:59:59Z", problem: "want <datetime> here: there is no such moment"},
		{name: "microseconds", template: "<datetime, microseconds-Z>", got: "2020-12-04T12:00:00.123456Z"},
		{name: "microseconds, a whole second", template: "<datetime, microseconds-Z>", got: "2020-12-04T12:00:00Z"},
		{name: "microseconds, only three", template: "<datetime, microseconds-Z>", got: "2020-12-04T12:00:00.123Z", problem: "want <datetime, microseconds-Z> here"},
		{name: "milliseconds", template: "<datetime, milliseconds-Z, now + 15d ± 90s>", got: "2020-12-19T12:00:00.123Z"},
		{name: "minutes", template: "<datetime, DD-MM-YYYY HH:MM, now ± 1s>", got: "04-12-2020 12:00"},
		{name: "minutes, those before", template: "<datetime, DD-MM-YYYY HH:MM, now ± 1s>", got: "04-12-2020 11:59"},
		{name: "minutes, too early", template: "<datetime, DD-MM-YYYY HH:MM, now ± 1s>", got: "04-12-2020 11:58",
			problem: "want <datetime, DD-MM-YYYY HH:MM, now ± 1s> here: it is 2020-12-04T11:58:00Z, and now is 2020-12-04T12:00:01Z"},
		{name: "in the past", template: "<datetime, now - 1h30m ± 2s>", got: "2020-12-04T10:30:02Z"},
		{name: "last moment", template: "<datetime, now + 10h ± 90s>", got: "2020-12-04T22:01:31Z"},
		{name: "after the last moment", template: "<datetime, now + 10h ± 90s>", got: "2020-12-04T22:01:32Z",
			problem: "want <datetime, now + 10h ± 90s> here: it is 2020-12-04T22:01:32Z, and now is 2020-12-04T12:00:01Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			parsed, problems := Parse(test.template, true)
			if problems != nil {
				t.Fatal(problems)
			}
			s := testScope()
			c := parsed.Match(test.got, s)
			if c.Problem != test.problem || c.Offset != test.offset {
				t.Errorf("got %q at %d, want %q at %d", c.Problem, c.Offset, test.problem, test.offset)
			}
			for _, name := range []string{"token", "id"} {
				delete(s.Captures, name)
			}
			if len(test.captures)+len(s.Captures) > 0 {
				if diff := cmp.Diff(test.captures, s.Captures); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// A reported mismatch shows the names of placeholders that match, including those after the difference.
func TestMatchShows(t *testing.T) {
	parsed, _ := Parse(`{"id":<integer>,"user":"${john.username}","token":"<hex40:key>","at":"<datetime>"}`, true)
	token := strings.Repeat("cd", 20)
	c := parsed.Match(`{"id":7,"user":"jane","token":"`+token+`","at":"2020-12-04T12:00:00Z"}`, testScope())
	want := Comparison{
		Problem: "it differs", Offset: 17,
		Want: `{"id":<integer>,"user":"john-abc","token":"<hex40:key>","at":"<datetime>"}`,
		Got:  `{"id":<integer>,"user":"jane","token":"<hex40:key>","at":"<datetime>"}`,
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Comparison{})); diff != "" {
		t.Error(diff)
	}
}

func TestSpans(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"24h": 24 * time.Hour, "15d": 360 * time.Hour, "14d23h59m": 360*time.Hour - time.Minute, "90s": 90 * time.Second,
		"": 0, "d": 0, "0s": 0, "-1h": 0, "1.5d": 0, "-2d": 0, "1d-2h": 0, "99999999d": 0, "9999999h": 0, "soon": 0, "1h1d": 0, "30md": 0,
	} {
		if got, err := ParseDuration(text); got != want && err == nil || err == nil != (want > 0) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []struct{ text, got string }{
		{"abc", "abd"},
		{"${john.username}<hex40:a, not token>", "john-abc0123456789012345678901234567890123456789"},
		{`{"id":<integer:n>,"name":"${upper(john.username)}"}`, `{"id":-12,"name":"JOHN-ABC"}`},
		{"<datetime, DD-MM-YYYY HH:MM, now + 1d ± 2s>", "05-12-2020 12:00"},
		{"<datetime, microseconds-Z> <datetime, milliseconds-Z, now - 1h30m ± 1m>", "2020-12-04T12:00:00Z 2020-12-04T10:30:00.123Z"},
		{"<datetime>", "2020-02-30T23:59:59.1+05:30"},
		{"${upper(upper(id))}$${<<a", "12${<a"},
		{"${repeat(a, 9)}${bytes(00ff)}", "aaaaaaaaa\x00\xff"},
		{"<any>", "x"},
		{"<text>", "a \"b\"\n"},
		{"${", ""},
		{"<hex129> <datetime, noon> ${x(y)} ${jane.age}", ""},
	} {
		f.Add(seed.text, seed.got)
	}
	f.Fuzz(func(t *testing.T, text, got string) {
		for _, expectation := range []bool{false, true} {
			parsed, problems := Parse(text, expectation)
			if problems != nil || strings.Contains(text, "<any>") && expectation {
				continue
			}
			s := testScope()
			c := parsed.Match(got, s)
			if c.Problem != "" && (c.Offset < 0 || c.Offset > len(got)) {
				t.Fatalf("%q: offset %d in %q", text, c.Offset, got)
			}
			if !expectation && (c.Problem == "") != (parsed.Expand(s) == got) {
				t.Fatalf("%q does not match itself alone: %q", text, got)
			}
		}
	})
}
