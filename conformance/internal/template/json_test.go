package template

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

// wantJSON parses a JSON value whose strings are templates.
func wantJSON(t *testing.T, text string) JSON {
	t.Helper()
	value, err := jsontree.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return fromTree(t, value)
}

func fromTree(t *testing.T, v jsontree.Value) JSON {
	t.Helper()
	w := JSON{Kind: v.Kind, Text: v.Text}
	if v.Kind == jsontree.String {
		var problems []string
		if w.String, problems = Parse(v.Text, true); problems != nil {
			t.Fatal(problems)
		}
	}
	for _, item := range v.Items {
		w.Items = append(w.Items, fromTree(t, item))
	}
	for _, m := range v.Members {
		w.Members = append(w.Members, Member{Key: m.Key, Value: fromTree(t, m.Value)})
	}
	return w
}

func TestMatchJSON(t *testing.T) {
	for _, test := range []struct {
		name, want, got string
		anyOrder        bool
		problem         string
	}{
		{name: "blanks do not count", want: `{"a": 1, "b": ["x", null, true, 1.50]}`, got: " {\"a\" : 1,\n\"b\":[\"x\",null,true,1.50]}"},
		{name: "a string", want: `{"a": "x"}`, got: `{"a":"y"}`, problem: "at $.a it differs"},
		{name: "a number as written", want: `{"a": 1.50}`, got: `{"a":1.5}`, problem: "at $.a want 1.50, got 1.5"},
		{name: "kinds", want: `{"a": "1", "b": 1, "c": null, "d": [], "e": {}, "f": true}`, got: `{"a":1,"b":"1","c":false,"d":{},"e":[],"f":null}`,
			problem: "at $.a want a string, got a number; at $.b want a number, got a string; at $.c want null, got true or false; " +
				"at $.d want an array, got an object; at $.e want an object, got an array; at $.f want true or false, got null"},
		{name: "order", want: `{"a": 1, "b": 2}`, got: `{"b":2,"a":1}`, problem: "at $ the keys are in another order"},
		{name: "any order", want: `{"a": 1, "b": 2}`, got: `{"b":2,"a":1}`, anyOrder: true},
		{name: "keys", want: `{"a": 1, "b": 2}`, got: `{"b":2,"c":1,"b":2}`,
			problem: `at $ unexpected key "c"; at $ key "b" appears twice; at $ key "a" is missing`},
		{name: "fewer items", want: `[1, 2]`, got: `[1]`, problem: "at $ want 2 items, got 1"},
		{name: "more items", want: `{"a": [1]}`, got: `{"a":[2,3]}`, problem: "at $.a want 1 items, got 2; at $.a[0] want 1, got 2"},
		{name: "placeholders", want: `{"id": "<integer:n>", "name": "<text>", "none": "<text>", "key": "x<hex4:key>"}`, got: `{"id":-5,"name":"a \"b\"\n","none":"","key":"xabcd"}`},
		{name: "integer is no string", want: `{"id": "<integer>"}`, got: `{"id":"5"}`, problem: "at $.id want <integer>, got a string"},
		{name: "integer is no fraction", want: `{"id": "<integer>"}`, got: `{"id":5.5}`, problem: "at $.id want the end here"},
		{name: "text is no number", want: `{"id": "<text>"}`, got: `{"id":5}`, problem: "at $.id want a string, got a number"},
		{name: "no JSON", want: `{"a": 1}`, got: `{"a":1`, problem: "not JSON: unexpected EOF"},
		{name: "empty", want: `{"a": 1}`, got: ``, problem: "not JSON: unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := wantJSON(t, test.want).Match([]byte(test.got), !test.anyOrder, testScope())
			if diff := cmp.Diff(test.problem, c.Problem); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMatchJSONCapturesAndShows(t *testing.T) {
	s := testScope()
	w := wantJSON(t, `{"id": "<integer:n>", "token": "<hex4:key>", "name": "john"}`)
	if c := w.Match([]byte(`{"id":7,"token":"abcd","name":"john"}`), true, s); c.Problem != "" || s.Captures["n"] != "7" || s.Captures["key"] != "abcd" {
		t.Errorf("%q, %v", c.Problem, s.Captures)
	}
	s = testScope()
	c := w.Match([]byte(`{"id":7,"token":"abcd","name":"jane"}`), true, s)
	want := Comparison{
		Problem: "at $.name it differs", Offset: -1,
		Want: "{\n  \"id\": \"<integer:n>\",\n  \"token\": \"<hex4:key>\",\n  \"name\": \"john\"\n}",
		Got:  "{\n  \"id\": \"<integer:n>\",\n  \"token\": \"<hex4:key>\",\n  \"name\": \"jane\"\n}",
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Comparison{})); diff != "" {
		t.Error(diff)
	}
	if _, ok := s.Captures["key"]; ok {
		t.Error("a document that differs is captured from")
	}
}
