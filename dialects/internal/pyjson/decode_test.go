package pyjson

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The texts in these tables are CPython's output.

func TestDecodeRefusals(t *testing.T) {
	digits := func(n int) string { return strings.Repeat("1", n) }
	const name = "Expecting property name enclosed in double quotes: "
	tests := []struct {
		name, text, want string
	}{
		{"empty", "", "Expecting value: line 1 column 1 (char 0)"},
		{"blanks", "  ", "Expecting value: line 1 column 3 (char 2)"},
		{"trailing comma in object", `{"username":"alice",}`, name + "line 1 column 21 (char 20)"},
		{"trailing comma in array", "[1,2,]", "Expecting value: line 1 column 6 (char 5)"},
		{"single quotes", "{'username':1}", name + "line 1 column 2 (char 1)"},
		{"bare key", "{a:1}", name + "line 1 column 2 (char 1)"},
		{"open brace alone", "{", name + "line 1 column 2 (char 1)"},
		{"comma first", "{,}", name + "line 1 column 2 (char 1)"},
		{"number as key", "{1:2}", name + "line 1 column 2 (char 1)"},
		{"two commas", `{"a":1,,"b":2}`, name + "line 1 column 8 (char 7)"},
		{"open bracket alone", "[", "Expecting value: line 1 column 2 (char 1)"},
		{"unterminated string", `{"username":"ali`, "Unterminated string starting at: line 1 column 13 (char 12)"},
		{"quote alone", `"`, "Unterminated string starting at: line 1 column 1 (char 0)"},
		{"backslash at the end", `["\`, "Unterminated string starting at: line 1 column 2 (char 1)"},
		{"unclosed object", `{"username":"alice"`, "Expecting ',' delimiter: line 1 column 20 (char 19)"},
		{"unclosed array", `[1`, "Expecting ',' delimiter: line 1 column 3 (char 2)"},
		{"no colon", `{"username"`, "Expecting ':' delimiter: line 1 column 12 (char 11)"},
		{"leading zero", `{"a":01}`, "Expecting ',' delimiter: line 1 column 7 (char 6)"},
		{"no fraction", `{"a":1.}`, "Expecting ',' delimiter: line 1 column 7 (char 6)"},
		{"no exponent", `[1e+]`, "Expecting ',' delimiter: line 1 column 3 (char 2)"},
		{"no whole part", `{"a":.5}`, "Expecting value: line 1 column 6 (char 5)"},
		{"plus", `{"a":+1}`, "Expecting value: line 1 column 6 (char 5)"},
		{"minus", `{"a":-}`, "Expecting value: line 1 column 6 (char 5)"},
		{"cut word", `{"a":tru}`, "Expecting value: line 1 column 6 (char 5)"},
		{"no value", `{"a":}`, "Expecting value: line 1 column 6 (char 5)"},
		{"cut negative infinity", `-Infinit`, "Expecting value: line 1 column 1 (char 0)"},
		{"extra data", `{"a":1}x`, "Extra data: line 1 column 8 (char 7)"},
		{"word and more", `nulll`, "Extra data: line 1 column 5 (char 4)"},
		{"newline in string", "{\"a\":\"b\nc\"}", "Invalid control character at: line 1 column 8 (char 7)"},
		{"escape", `{"a":"\x"}`, `Invalid \escape: line 1 column 7 (char 6)`},
		{"short unicode escape", `{"a":"\u12"}`, `Invalid \uXXXX escape: line 1 column 8 (char 7)`},
		{"unicode escape at the end", `"\u1234`, `Invalid \uXXXX escape: line 1 column 3 (char 2)`},
		{"sign in unicode escape", `"\u+123"`, `Invalid \uXXXX escape: line 1 column 3 (char 2)`},
		{"underscore in unicode escape", `"\u1_23"`, `Invalid \uXXXX escape: line 1 column 3 (char 2)`},
		{"blank in unicode escape", `"\u 123"`, `Invalid \uXXXX escape: line 1 column 3 (char 2)`},
		{"second half of a pair", `"\ud800\u12x4"`, `Invalid \uXXXX escape: line 1 column 9 (char 8)`},
		{"byte order mark", "\ufeff{}", "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)"},
		{"line and column", "{\n \"a\": 1,\r\n\t]\n", name + "line 3 column 2 (char 13)"},
		{"code points are counted", "{\"é\u20ac😀\":x", "Expecting value: line 1 column 8 (char 7)"},
		{"no-break space is no blank", "\u00a01", "Expecting value: line 1 column 1 (char 0)"},
		{"form feed is no blank", "[\f1]", "Expecting value: line 1 column 2 (char 1)"},
		{"long integer", "[-" + digits(4301) + "]", "Exceeds the limit (4300 digits) for integer string conversion: " +
			"value has 4301 digits; use sys.set_int_max_str_digits() to increase the limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkRefusal(t, tt.text, Options{}, tt.want) })
	}
}

func checkRefusal(t *testing.T, text string, o Options, want string) {
	t.Helper()
	value, err := Decode(text, o)
	var refusal *ValueError
	if !errors.As(err, &refusal) {
		t.Fatalf("Decode(%q) = %v, %v; want a ValueError", text, value, err)
	}
	if refusal.Error() != want {
		t.Errorf("Decode(%q):\n got %s\nwant %s", text, refusal.Text, want)
	}
}

func TestDecodeRefusalsByPython(t *testing.T) {
	long := strings.Repeat("7", 5000)
	tests := []struct {
		name   string
		python Python
		text   string
		want   string
	}{
		{"2.7 nothing", Python27, "", "No JSON object could be decoded"},
		{"2.7 no value in object", Python27, `{"a":}`, "No JSON object could be decoded"},
		{"2.7 comma in array", Python27, "[1,]", "No JSON object could be decoded"},
		{"2.7 byte order mark", Python27, "\ufeff1", "No JSON object could be decoded"},
		{"2.7 open brace", Python27, "{", "Expecting object: line 1 column 1 (char 0)"},
		{"2.7 open bracket", Python27, "[ ", "Expecting object: line 1 column 2 (char 1)"},
		{"2.7 unclosed object", Python27, `{"username":"alice"`, "Expecting object: line 1 column 19 (char 18)"},
		{"2.7 unclosed after comma", Python27, `{"a":1, `, "Expecting object: line 1 column 8 (char 7)"},
		{"2.7 unclosed before code point", Python27, "[1,é", "No JSON object could be decoded"},
		{"2.7 extra data", Python27, `{"a":1}x`, "Extra data: line 1 column 8 - line 1 column 9 (char 7 - 8)"},
		{"2.7 extra lines", Python27, "[1]\n\n x", "Extra data: line 3 column 2 - line 3 column 3 (char 6 - 7)"},
		{"2.7 quote at the end", Python27, `{"`, "end is out of bounds"},
		{"2.7 property name", Python27, "{'a':1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
		{"3.10 long integer", Python37, long, "Exceeds the limit (4300) for integer string conversion: " +
			"value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit"},
		{"3.13 comma in object", Python313, `{"username":"alice" , }`, "Illegal trailing comma before end of object: line 1 column 21 (char 20)"},
		{"3.13 comma in array", Python313, "[1,\n]", "Illegal trailing comma before end of array: line 1 column 3 (char 2)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkRefusal(t, tt.text, Options{Python: tt.python}, tt.want) })
	}
	for _, p := range []Python{Python27, Python36} {
		if value, err := Decode(long, Options{Python: p}); value != Int(long) || err != nil {
			t.Errorf("Python %d: a long integer gives %v, %v", p, value, err)
		}
	}
}

func TestDecodeRejectConstants(t *testing.T) {
	strict := Options{RejectConstants: true}
	checkRefusal(t, "NaN", strict, "Out of range float values are not JSON compliant: 'NaN'")
	checkRefusal(t, `{"a":-Infinity`, strict, "Out of range float values are not JSON compliant: '-Infinity'")
	checkRefusal(t, "[Infinity,]]", strict, "Out of range float values are not JSON compliant: 'Infinity'")
	checkRefusal(t, "[,NaN]", strict, "Expecting value: line 1 column 2 (char 1)")
	if got, err := Decode("[1e400]", strict); err != nil || Str(got) != "[inf]" {
		t.Errorf("1e400 gives %v, %v", got, err)
	}
}

func TestDecodeValues(t *testing.T) {
	tests := []struct {
		name, text string
		repr       string // Python's
	}{
		{"words", "[null, true, false]", "[None, True, False]"},
		{"constants", "[NaN, Infinity, -Infinity]", "[nan, inf, -inf]"},
		{"integers", "[0, -0, -12, 123456789012345678901234567890]", "[0, 0, -12, 123456789012345678901234567890]"},
		{"floats", "[1.0, -0.0, 1E5, 1e-7, 1e22, 2.5e-3]", "[1.0, -0.0, 100000.0, 1e-07, 1e+22, 0.0025]"},
		{"beyond the range", "[1e400, -1e400, 1e-400]", "[inf, -inf, 0.0]"},
		{"all blanks", " \t\r\n[ 1 ,\n2 ]\r\n", "[1, 2]"},
		{"empty containers", `[[], {}, [ ], { }, ""]`, "[[], {}, [], {}, '']"},
		{"order of keys", `{"b":1,"a":2,"c":3}`, "{'b': 1, 'a': 2, 'c': 3}"},
		{"duplicate keys", `{"a":1,"b":2,"a":3}`, "{'a': 3, 'b': 2}"},
		{"escapes", `"\"\\\/\b\f\n\r\t\u0041"`, `'"\\/\x08\x0c\n\r\tA'`},
		{"escaped NUL", `"a\u0000b"`, `'a\x00b'`},
		{"pair", `"\ud83d\ude00"`, "'😀'"},
		{"pair in capitals", `"\uD83D\uDE00"`, "'😀'"},
		{"lone high surrogate", `"\ud800"`, `'\ud800'`},
		{"lone low surrogate", `"x\udc00y"`, `'x\udc00y'`},
		{"two high surrogates", `"\ud83d\ud83d\ude00"`, `'\ud83d😀'`},
		{"surrogates the wrong way round", `"\ude00\ud83d"`, `'\ude00\ud83d'`},
		{"high surrogate before another escape", `"\ud83d\n"`, `'\ud83d\n'`},
		{"surrogates that were no escapes", "\"\xed\xa0\xbd\xed\xb8\x80\"", `'\ud83d\ude00'`},
		{"DEL is no control character", "\"\x7f\"", `'\x7f'`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, err := Decode(tt.text, Options{})
			if err != nil {
				t.Fatalf("Decode(%q): %v", tt.text, err)
			}
			if got := string(AppendRepr(nil, value)); got != tt.repr {
				t.Errorf("Decode(%q):\n got %s\nwant %s", tt.text, got, tt.repr)
			}
		})
	}
}

// TestDecodeLongFloats reads numbers whose zeros and exponent cancel out, far
// beyond what strconv counts.
func TestDecodeLongFloats(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("0", n) }
	tests := []struct{ text, want string }{
		{"0." + zeros(20000) + "125e20001", "1.25"},
		{"-0." + zeros(200000) + "125e+200001", "-1.25"},
		{"5" + zeros(200000) + "e-200000", "5.0"},
		{"-5" + zeros(200000) + ".5E-200000", "-5.0"},
		{"1" + zeros(300000) + "e-200000", "inf"},
		{"0." + zeros(300000) + "1e200000", "0.0"},
		{"0." + zeros(20000) + "e99999999999999999999", "0.0"},
		{"1." + zeros(20000) + "e99999999999999999999", "inf"},
		{"1." + zeros(20000) + "e-99999999999999999999", "0.0"},
		{"1.00000000000000011102230246251565404236316680908203125" + zeros(20000), "1.0"},
		{"1.00000000000000011102230246251565404236316680908203125" + zeros(20000) + "1", "1.0000000000000002"},
	}
	for _, tt := range tests {
		value, err := Decode(tt.text, Options{})
		if got := Str(value); got != tt.want || err != nil {
			t.Errorf("%.20s… of %d characters: got %s, %v; want %s", tt.text, len(tt.text), got, err, tt.want)
		}
	}
}

func TestDecodeDepth(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name  string
		text  string
		max   int
		limit int // in the error; 0 for none
	}{
		{"default", nested(DefaultMaxDepth), 0, 0},
		{"default exceeded", nested(DefaultMaxDepth + 1), 0, DefaultMaxDepth},
		{"one", `{"a":1}`, 1, 0},
		{"two where one is allowed", `{"a":{}}`, 1, 1},
		{"beside each other", "[[],[],[],{}]", 2, 0},
		{"before an error of syntax", "[[[x", 2, 2},
		{"after an error of syntax", "[x[[", 2, -1},
		{"hostile arrays", strings.Repeat("[", 1<<20), 0, DefaultMaxDepth},
		{"hostile objects", strings.Repeat(`{"":`, 1<<18), 0, DefaultMaxDepth},
		{"as Python 3.13", nested(9998), 9998, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.text, Options{MaxDepth: tt.max})
			var depth *DepthError
			switch {
			case tt.limit == 0 && err != nil:
				t.Errorf("got error %v", err)
			case tt.limit > 0 && (!errors.As(err, &depth) || depth.Limit != tt.limit):
				t.Errorf("got error %v, want a DepthError of %d", err, tt.limit)
			case tt.limit < 0 && errors.As(err, &depth):
				t.Errorf("got error %v", err)
			}
		})
	}
	_, err := Decode("[[]]", Options{MaxDepth: 1})
	if want := "JSON is nested deeper than 1 levels"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

// TestDecodeHostile checks that Decode takes linear time and memory: quadratic time for
// a mebibyte would be minutes.
func TestDecodeHostile(t *testing.T) {
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	var keys strings.Builder
	for i := 0; keys.Len() < size; i++ {
		keys.WriteString(`"` + string(AppendRepr(nil, i)) + `":0,`)
	}
	tests := []struct{ name, text string }{
		{"blanks", fill(" ")},
		{"lines", fill("\n") + "x"},
		{"empty arrays", "[" + fill("[],") + "1]"},
		{"empty objects", "[" + fill("{},") + "1]"},
		{"integers", "[" + fill("1,") + "1]"},
		{"empty strings", "[" + fill(`"",`) + "1]"},
		{"escapes", `"` + fill(`\u00e9`) + `"`},
		{"strings with an escape", "[" + fill(`"\n",`) + "1]"},
		{"surrogates", `"` + fill(`\ud800`) + `"`},
		{"one key", "{" + fill(`"a":0,`) + `"a":1}`},
		{"many keys", "{" + keys.String() + `"a":1}`},
		{"unterminated", `"` + fill("é")},
		{"one integer", fill("1")},
		{"one float", "1." + fill("1")},
		{"float of zeros", "0." + fill("0") + "1e9999999999999999999999"},
		{"shallow and deep", "[" + fill(strings.Repeat("[", 900)+strings.Repeat("]", 900)+",") + "1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, _ = Decode(tt.text, Options{Python: Python36})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 100*size {
				t.Errorf("allocated %d bytes", used)
			}
		})
	}
}
