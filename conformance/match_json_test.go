package conformance

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func wantJSON(t *testing.T, text string) jsonWant {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	l := &loader{file: "f"}
	w := l.json("json", document.Content[0], true, 0)
	if len(l.problems) > 0 {
		t.Fatal(l.problems)
	}
	return w
}

func TestMatchJSON(t *testing.T) {
	for _, test := range []struct {
		name, want, got string
		anyOrder        bool
		problem         string
	}{
		{name: "blanks do not count", want: `{a: 1, b: [x, ~, true, 1.50]}`, got: " {\"a\" : 1,\n\"b\":[\"x\",null,true,1.50]}"},
		{name: "a string", want: `{a: x}`, got: `{"a":"y"}`, problem: "at $.a it differs"},
		{name: "a number as written", want: `{a: 1.50}`, got: `{"a":1.5}`, problem: "at $.a want 1.50, got 1.5"},
		{name: "kinds", want: `{a: "1", b: 1, c: ~, d: [], e: {}, f: true}`, got: `{"a":1,"b":"1","c":false,"d":{},"e":[],"f":null}`,
			problem: "at $.a want a string, got a number; at $.b want a number, got a string; at $.c want null, got true or false; " +
				"at $.d want an array, got an object; at $.e want an object, got an array; at $.f want true or false, got null"},
		{name: "order", want: `{a: 1, b: 2}`, got: `{"b":2,"a":1}`, problem: "at $ the keys are in another order"},
		{name: "any order", want: `{a: 1, b: 2}`, got: `{"b":2,"a":1}`, anyOrder: true},
		{name: "keys", want: `{a: 1, b: 2}`, got: `{"b":2,"c":1,"b":2}`,
			problem: `at $ unexpected key "c"; at $ key "b" stands twice; at $ key "a" is missing`},
		{name: "fewer items", want: `[1, 2]`, got: `[1]`, problem: "at $ want 2 items, got 1"},
		{name: "more items", want: `{a: [1]}`, got: `{"a":[2,3]}`, problem: "at $.a want 1 items, got 2; at $.a[0] want 1, got 2"},
		{name: "placeholders", want: `{id: <integer:n>, name: <text>, none: <text>, key: "x<hex4:key>"}`, got: `{"id":-5,"name":"a \"b\"\n","none":"","key":"xabcd"}`},
		{name: "integer is no string", want: `{id: <integer>}`, got: `{"id":"5"}`, problem: "at $.id want <integer>, got a string"},
		{name: "integer is no fraction", want: `{id: <integer>}`, got: `{"id":5.5}`, problem: "at $.id want the end here"},
		{name: "text is no number", want: `{id: <text>}`, got: `{"id":5}`, problem: "at $.id want a string, got a number"},
		{name: "no JSON", want: `{a: 1}`, got: `{"a":1`, problem: "not JSON: unexpected EOF"},
		{name: "empty", want: `{a: 1}`, got: ``, problem: "not JSON: unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := wantJSON(t, test.want).matchJSON([]byte(test.got), !test.anyOrder, testScope())
			if diff := cmp.Diff(test.problem, c.problem); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMatchJSONCapturesAndShows(t *testing.T) {
	s := testScope()
	w := wantJSON(t, `{id: <integer:n>, token: <hex4:key>, name: john}`)
	if c := w.matchJSON([]byte(`{"id":7,"token":"abcd","name":"john"}`), true, s); c.problem != "" || s.captures["n"] != "7" || s.captures["key"] != "abcd" {
		t.Errorf("%q, %v", c.problem, s.captures)
	}
	s = testScope()
	c := w.matchJSON([]byte(`{"id":7,"token":"abcd","name":"jane"}`), true, s)
	want := comparison{
		problem: "at $.name it differs", offset: -1,
		want: "{\n  \"id\": \"<integer:n>\",\n  \"token\": \"<hex4:key>\",\n  \"name\": \"john\"\n}",
		got:  "{\n  \"id\": \"<integer:n>\",\n  \"token\": \"<hex4:key>\",\n  \"name\": \"jane\"\n}",
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(comparison{})); diff != "" {
		t.Error(diff)
	}
	if _, ok := s.captures["key"]; ok {
		t.Error("a document that differs is captured from")
	}
}
