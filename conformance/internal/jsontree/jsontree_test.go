package jsontree_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

func TestParseAndWrite(t *testing.T) {
	v, err := jsontree.Parse([]byte(` {"b": [1.0, -2e3, true, null, ""], "a": {}, "b": [], "é\u0000\n": "\"\\<"} `))
	if err != nil {
		t.Fatal(err)
	}
	const compact = `{"b":[1.0,-2e3,true,null,""],"a":{},"b":[],"é\u0000\n":"\"\\<"}`
	if diff := cmp.Diff(compact, jsontree.Compact(v)); diff != "" {
		t.Error(diff)
	}
	const indented = `{
  "b": [
    1.0,
    -2e3,
    true,
    null,
    ""
  ],
  "a": {},
  "b": [],
  "é\u0000\n": "\"\\<"
}`
	if diff := cmp.Diff(indented, jsontree.Indented(v)); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{"", "{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, "[1", "[1,]", "]", "1 2", "{} x", "nul", "NaN", `{"a" 1}`, `{1:2}`,
		strings.Repeat("[", 300) + strings.Repeat("]", 300)} {
		if v, err := jsontree.Parse([]byte(text)); err == nil {
			t.Errorf("%.20q: accepted as %v", text, v)
		}
	}
}

// Written values read back as the same value, and nothing of a text is lost.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,"x",null]}`, `{"a":1,"a":2}`, "[-0.0, 1.50, 1E5, 123456789012345678901234567890]", `"\u00e9\ud83d\ude00\ud800\u2028\/"`,
		" \t\r\n{ } ", "[true, false, {}]", "NaN", "01", "[1]x", "\"\xff\"", strings.Repeat("[", 200),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := jsontree.ParseDocument(data)
		if err != nil {
			return
		}
		v := d.Root
		if got := written(v) + d.After; got != string(data) {
			t.Fatalf("%q is written %q", data, got)
		}
		for _, text := range []string{jsontree.Compact(v), jsontree.Indented(v)} {
			again, err := jsontree.Parse([]byte(text))
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if diff := cmp.Diff(v, again, cmpopts.IgnoreTypes(jsontree.Source{})); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// TestSource writes a document from what was kept of how it is written: nothing is lost.
func TestSource(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		" [ ] \n", "{}", `"\u00e9"`, "-0.10e+2\t", " { \"a\" :1,\t\"a\":[ true,null , \"\\/\" ] , \"b\": {\n} }\r\n",
	} {
		d, err := jsontree.ParseDocument([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := written(d.Root) + d.After; got != text {
			t.Errorf("%q is written %q", text, got)
		}
	}
}

// written writes a value by its Source.
func written(v jsontree.Value) string {
	switch v.Kind {
	case jsontree.Array:
		text := v.Source.Gap + "["
		for _, item := range v.Items {
			text += written(item)
		}
		return text + v.Source.End + "]"
	case jsontree.Object:
		text := v.Source.Gap + "{"
		for _, m := range v.Members {
			text += m.Source.Gap + m.Source.Raw + written(m.Value)
		}
		return text + v.Source.End + "}"
	}
	return v.Source.Gap + v.Source.Raw
}
