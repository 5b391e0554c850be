package django

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// headerTests has the results of django.http.multipartparser.parse_header of Django 3.2.25.
func headerTests() []headerTest {
	plain := func(name, value string) Param { return Param{Name: name, Value: value} }
	return []headerTest{
		{"", Header{Value: ""}, true},
		{" Application/JSON ", Header{Value: "application/json"}, true},
		{"a/b; Indent=4; q=0.5", Header{Value: "a/b", Params: []Param{plain("indent", "4"), plain("q", "0.5")}}, true},
		{"a/b;c;d=;e=f=g", Header{Value: "a/b", Params: []Param{plain("d", ""), plain("e", "f=g")}}, true},
		{`a/b; c="d;e"; f="g\"h\\i"`, Header{Value: "a/b", Params: []Param{plain("c", "d;e"), plain("f", `g"h\i`)}}, true},
		{`a/b; c="d`, Header{Value: "a/b", Params: []Param{plain("c", `"d`)}}, true},
		{"a/b; c=1; d=2; c=3", Header{Value: "a/b", Params: []Param{plain("c", "3"), plain("d", "2")}}, true},
		{"a; n*=UTF-8''%C3%A9+b", Header{Value: "a", Params: []Param{{Name: "n", Value: "é+b", IsText: true}}}, true},
		{"a; n*=%C3%A9", Header{Value: "a", Params: []Param{plain("n", "%C3%A9")}}, true},
		{"a/b; c=\u00e9", Header{Value: "a/b", Params: []Param{plain("c", "\u00e9")}}, true},
		{"a/b; \u00e9=c", Header{}, false},
		{"\u00e9", Header{}, false},
		{";", Header{Value: ""}, true},
	}
}

type headerTest struct {
	header string
	want   Header
	ok     bool
}

func TestParseHeader(t *testing.T) {
	for _, tt := range headerTests() {
		got, ok := ParseHeader(tt.header)
		if ok != tt.ok {
			t.Errorf("%q: %v, want %v", tt.header, ok, tt.ok)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.header, diff)
		}
	}
}

func TestCharsetOf(t *testing.T) {
	for contentType, want := range map[string]bool{
		"application/json":                      false,
		"application/json; charset=utf-8":       true,
		`application/json; CHARSET="latin-1"`:   true,
		"application/json; charset=unknown":     false,
		"application/json; charset=":            false,
		"application/json; charset=utf-8; a=\"": true,
	} {
		if _, got := CharsetOf(contentType); got != want {
			t.Errorf("%s: %v, want %v", contentType, got, want)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	for _, tt := range headerTests() {
		f.Add(tt.header)
	}
	for _, seed := range []string{`"\"`, "a;*='';=", "a; n*=x'y'%", `a; charset="utf-16"; charset=x`, `a; b="c\"; d=e"; f`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		h, ok := ParseHeader(header)
		if !ok && (h.Value != "" || h.Params != nil) {
			t.Errorf("%q: not read, and yet %v", header, h)
		}
		ParseContentType(header)
	})
}

// TestManyParams gives each of many parameters twice: each keeps its first place and has
// its last value, as in a dict.
func TestManyParams(t *testing.T) {
	for n := range 3 * indexFrom {
		header := "a/b"
		want := Header{Value: "a/b"}
		for i := range n {
			header += fmt.Sprintf("; p%d=first", i)
			want.Params = append(want.Params, Param{Name: fmt.Sprintf("p%d", i), Value: fmt.Sprintf("v%d", i)})
		}
		for i := range n {
			header += fmt.Sprintf("; p%d=v%d", i, i)
		}
		got, ok := ParseHeader(header)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%d parameters, %t: %s", n, ok, diff)
		}
	}
}

// TestParseContentType has the results of cgi.parse_header of Python 3.11.
func TestParseContentType(t *testing.T) {
	plain := func(name, value string) Param { return Param{Name: name, Value: value} }
	for header, want := range map[string]Header{
		"":                 {},
		"Text/Plain":       {Value: "Text/Plain"},
		`A/b; C="d;e";f=g`: {Value: "A/b", Params: []Param{plain("c", "d;e"), plain("f", "g")}},
		// A quote behind a backslash neither begins nor ends a quoted text.
		`A/b; c="d;e"; f="g\";h"; i=j`: {Value: "A/b", Params: []Param{plain("c", "d;e"), plain("f", `g";h`), plain("i", "j")}},
		`a; "x=1;y=2"; z=3`:            {Value: "a", Params: []Param{plain(`"x`, `1;y=2"`), plain("z", "3")}},
	} {
		if diff := cmp.Diff(want, ParseContentType(header)); diff != "" {
			t.Errorf("%s: %s", header, diff)
		}
	}
}
