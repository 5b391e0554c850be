package answer

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/dialects/internal/wire"
	"github.com/authcompat/authcompat/profiles"
)

// TestText marks messages, and finds them and what only a request brings in a body.
func TestText(t *testing.T) {
	p := Marked(&profiles.Profile{Messages: profiles.Messages{"method": `Method "{method}" not allowed.`, "max_length": "At most {max}.", "odd": "{METHOD} and {no}"}})
	if got, want := p.Messages.Format("max_length", "max", "30"), "{~<max_length}At most 30.{~>}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got := parse(`{"detail": "` + p.Messages["method"] + `", "odd": "` + p.Messages["odd"] + `"}`)
	want := Text{
		{Text: `{"detail": "`}, {Text: `Method "`, Message: "method"}, {Text: "method", Variable: true, Message: "method"}, {Text: `" not allowed.`, Message: "method"},
		{Text: `", "odd": "`}, {Text: "{METHOD} and {no}", Message: "odd"}, {Text: `"}`},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"method", "odd"}, got.Messages()); d != "" {
		t.Error(d)
	}
	if got, want := got.String(), `{"detail": "Method "{method}" not allowed.", "odd": "{METHOD} and {no}"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFits(t *testing.T) {
	variable := Part{Text: "x", Variable: true}
	for _, test := range []struct {
		text Text
		body string
		want bool
	}{
		{nil, "", true}, {nil, "a", false},
		{Text{{Text: "a"}}, "a", true}, {Text{{Text: "a"}}, "ab", false}, {Text{{Text: "a"}}, "", false},
		{Text{{Text: "a"}, variable, {Text: "b"}}, "ab", true}, {Text{{Text: "a"}, variable, {Text: "b"}}, "abbcb", true},
		{Text{{Text: "a"}, variable, {Text: "b"}}, "abc", false}, {Text{{Text: "a"}, variable, {Text: "b"}}, "cab", false},
		{Text{{Text: "a"}, variable}, "abc", true}, {Text{variable, {Text: "a"}, {Text: "b"}}, "xab", true}, {Text{variable, {Text: "a"}, {Text: "b"}}, "xa", false},
		{Text{{Text: "a"}, variable, {Text: "b"}, variable}, "axbx", true}, {Text{{Text: "a"}, variable, {Text: "b"}, variable}, "axx", false},
	} {
		if got := test.text.Fits(test.body); got != test.want {
			t.Errorf("%v and %q: %v", test.text, test.body, got)
		}
	}
}

// TestList gives one and the same answer all its reasons, and keeps the order of stages.
func TestList(t *testing.T) {
	reply := func(status int) wire.Reply {
		return wire.Reply{Status: status, ContentType: "application/json", Headers: []profiles.Header{{Name: "Retry-After", Value: "1"}, {Name: "Allow", Value: "GET"}}, Body: []byte("{}")}
	}
	var l List
	l.Add(StageServer, "", "down", reply(503))
	l.Add(StageField, "name", "name is empty", reply(400))
	l.Add(StageField, "name", "name is null", reply(400))
	l.Add(StageField, "name", "name is null", reply(400))
	l.Add(StageField, "word", "word is null", reply(400))
	l.Add(StageRequest, "", "method", reply(405))
	headers := []profiles.Header{{Name: "Allow", Value: "GET"}, {Name: "Content-Type", Value: "application/json"}, {Name: "Retry-After", Value: "{seconds}"}}
	body := Text{{Text: "{}"}}
	want := []Answer{
		{StageRequest, "", []string{"method"}, http.StatusMethodNotAllowed, headers, body},
		{StageField, "name", []string{"name is empty", "name is null"}, http.StatusBadRequest, headers, body},
		{StageField, "word", []string{"word is null"}, http.StatusBadRequest, headers, body},
		{StageServer, "", []string{"down"}, http.StatusServiceUnavailable, headers, body},
	}
	if d := cmp.Diff(want, l.Sorted()); d != "" {
		t.Error(d)
	}
}

// TestFind finds answers by their bytes, and several sentences of one body each by itself.
func TestFind(t *testing.T) {
	p := Marked(&profiles.Profile{Messages: profiles.Messages{"required": "Needed.", "max": "At most {length}."}})
	var l List
	for _, key := range []string{"required", "max"} {
		l.Add(StageField, "a", "a "+key, wire.Reply{Status: 400, Body: []byte(`{"a": ["` + p.Messages[key] + `"]}`)})
		l.Add(StageField, "b", "b "+key, wire.Reply{Status: 400, Body: []byte(`{"b": ["` + p.Messages[key] + `"]}`)})
	}
	for body, want := range map[string]struct {
		exact string
		found []string
	}{
		`{"a": ["Needed."]}`:    {"a required", []string{"a required"}},
		`{"b": ["At most 5."]}`: {"b max", []string{"b max"}},
		`{"a":["Needed."]}`:     {"", []string{"a required"}},
		`{"a": ["Needed.", "At most 5."], "b": ["Needed."]}`: {"", []string{"a required", "a max", "b required"}},
		`{"a": ["Needed.", "At most 5"]}`:                    {"", nil},
		`{"c": ["Needed."]}`:                                 {"", nil},
		`{"a": ["Needed."]`:                                  {"", nil},
		`Needed.`:                                            {"", nil},
	} {
		if got, ok := Exactly(l.all, 400, body); ok != (want.exact != "") || ok && got.When[0] != want.exact {
			t.Errorf("%s is exactly %v", body, got.When)
		}
		if got, ok := Exactly(l.all, 401, body); ok {
			t.Errorf("%s with another status is %v", body, got.When)
		}
		var found []string
		for _, a := range BySentence(l.all, 400, body) {
			found = append(found, a.When...)
		}
		if d := cmp.Diff(want.found, found); d != "" {
			t.Errorf("%s: %s", body, d)
		}
	}
}
