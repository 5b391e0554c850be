package pyjson

import (
	"math"
	"testing"
)

func TestAppend(t *testing.T) {
	user := new(Object).Set("id", 7).Set("name", "Zoë").Set("groups", []any{}).Set("extra", new(Object))
	reply := new(Object).Set("token", "ab12").Set("expiry", nil).Set("user", user).Set("ok", true)
	tests := []struct {
		name  string
		value any
		style Style
		want  string
	}{
		{"compact", reply, Compact(), `{"token":"ab12","expiry":null,"user":{"id":7,"name":"Zoë","groups":[],"extra":{}},"ok":true}`},
		{"spaced", reply, Spaced(), `{"token": "ab12", "expiry": null, "user": {"id": 7, "name": "Zo\u00eb", "groups": [], "extra": {}}, "ok": true}`},
		{"indented", reply, Indented(2), `{
  "token": "ab12",
  "expiry": null,
  "user": {
    "id": 7,
    "name": "Zoë",
    "groups": [],
    "extra": {}
  },
  "ok": true
}`},
		{"indented list", []any{1, []any{false}}, Indented(4), "[\n    1,\n    [\n        false\n    ]\n]"},
		{"DRF 2.4 with indent=0", []any{1, 2}, Style{ItemSeparator: ", ", KeySeparator: ": ", ASCII: true, Lines: true}, "[\n1, \n2\n]"},
		{"empty object", new(Object), Indented(4), "{}"},
		{"empty list", []any{}, Indented(4), "[]"},
		{"integers", []any{1, int64(-2), Int("123456789012345678901234567890")}, Compact(), "[1,-2,123456789012345678901234567890]"},
		{"floats", []any{1.0, 0.1, 1e16, 1e-7, math.Copysign(0, -1)}, Compact(), "[1.0,0.1,1e+16,1e-07,-0.0]"},
		{"no numbers", []any{math.NaN(), math.Inf(1), math.Inf(-1)}, Spaced(), "[NaN, Infinity, -Infinity]"},
		{"null", nil, Compact(), "null"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Append([]byte("x"), tt.value, tt.style)); got != "x"+tt.want {
				t.Errorf("\n got %s\nwant %s", got[1:], tt.want)
			}
		})
	}
}

func TestAppendString(t *testing.T) {
	tests := []struct {
		name, s        string
		unicode, ascii string
	}{
		{"plain", "alice", `"alice"`, `"alice"`},
		{"empty", "", `""`, `""`},
		{"quotes", `a"b\c/d'`, `"a\"b\\c/d'"`, `"a\"b\\c/d'"`},
		{"short escapes", "\b\f\n\r\t", `"\b\f\n\r\t"`, `"\b\f\n\r\t"`},
		{"control characters", "\x00\x01\x1f", `"\u0000\u0001\u001f"`, `"\u0000\u0001\u001f"`},
		{"what JavaScript escapes", "<>&/", `"<>&/"`, `"<>&/"`},
		{"DEL", "\x7f", "\"\x7f\"", `"\u007f"`},
		{"Latin", "é\u0085", "\"é\u0085\"", `"\u00e9\u0085"`},
		{"line separators", "a\u2028b\u2029", `"a\u2028b\u2029"`, `"a\u2028b\u2029"`},
		{"beyond U+FFFF", "😀\U0010ffff", "\"😀\U0010ffff\"", `"\ud83d\ude00\udbff\udfff"`},
		{"surrogates", "\xed\xa0\x80x\xed\xbf\xbf", `"\ud800x\udfff"`, `"\ud800x\udfff"`},
		{"no text", "a\xffb\xed\xa0", `"a\ufffdb\ufffd\ufffd"`, `"a\ufffdb\ufffd\ufffd"`},
		{"replacement character", "\ufffd", "\"\ufffd\"", `"\ufffd"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendString(nil, tt.s, false)); got != tt.unicode {
				t.Errorf("Unicode: got %s, want %s", got, tt.unicode)
			}
			if got := string(AppendString(nil, tt.s, true)); got != tt.ascii {
				t.Errorf("ASCII: got %s, want %s", got, tt.ascii)
			}
		})
	}
}

func TestStr(t *testing.T) {
	tests := []struct {
		value     any
		str, repr string
		typeName  string
	}{
		{nil, "None", "None", "NoneType"},
		{true, "True", "True", "bool"},
		{false, "False", "False", "bool"},
		{Int("-12"), "-12", "-12", "int"},
		{Int("123456789012345678901"), "123456789012345678901", "123456789012345678901", "int"},
		{12, "12", "12", "int"},
		{int64(-12), "-12", "-12", "int"},
		{1.5, "1.5", "1.5", "float"},
		{math.Inf(-1), "-inf", "-inf", "float"},
		{math.NaN(), "nan", "nan", "float"},
		{"it's", "it's", `"it's"`, "str"},
		{`say "it's"`, `say "it's"`, `'say "it\'s"'`, "str"},
		{"\t\n\r\\\x00\x7f\u00a0\u00ad\u200b\u2028\ufeff\U000e0001", "\t\n\r\\\x00\x7f\u00a0\u00ad\u200b\u2028\ufeff\U000e0001",
			`'\t\n\r\\\x00\x7f\xa0\xad\u200b\u2028\ufeff\U000e0001'`, "str"},
		{"é😀\xed\xa0\x80", "é😀\xed\xa0\x80", `'é😀\ud800'`, "str"},
		{[]any{}, "[]", "[]", "list"},
		{[]any{"a", nil, 1.0}, "['a', None, 1.0]", "['a', None, 1.0]", "list"},
		{new(Object), "{}", "{}", "dict"},
		{new(Object).Set("a", []any{true}).Set("b'", "c"), `{'a': [True], "b'": 'c'}`, `{'a': [True], "b'": 'c'}`, "dict"},
	}
	for _, tt := range tests {
		if got := Str(tt.value); got != tt.str {
			t.Errorf("Str(%v) = %s, want %s", tt.value, got, tt.str)
		}
		if got := string(AppendRepr(nil, tt.value)); got != tt.repr {
			t.Errorf("repr of %v: got %s, want %s", tt.value, got, tt.repr)
		}
		if got := TypeName(tt.value); got != tt.typeName {
			t.Errorf("TypeName(%v) = %s, want %s", tt.value, got, tt.typeName)
		}
	}
}

func TestFloatRepr(t *testing.T) {
	tests := []struct {
		value float64
		want  string
	}{
		{0, "0.0"},
		{1, "1.0"},
		{-1, "-1.0"},
		{0.1, "0.1"},
		{0.30000000000000004, "0.30000000000000004"},
		{0.0001, "0.0001"},
		{0.00001, "1e-05"},
		{0.00012345, "0.00012345"},
		{1e15, "1000000000000000.0"},
		{9999999999999998, "9999999999999998.0"},
		{1e16, "1e+16"},
		{12345678901234567890, "1.2345678901234567e+19"},
		{1e22, "1e+22"},
		{1e100, "1e+100"},
		{5e-324, "5e-324"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{-1.5e-7, "-1.5e-07"},
	}
	for _, tt := range tests {
		if got := Str(tt.value); got != tt.want {
			t.Errorf("%x: got %s, want %s", tt.value, got, tt.want)
		}
	}
}

// TestForeignType pins that a type that is not a JSON value is a programming error
// and panics at once.
func TestForeignType(t *testing.T) {
	for name, f := range map[string]func(){
		"Append":     func() { Append(nil, struct{}{}, Compact()) },
		"AppendRepr": func() { AppendRepr(nil, []string{}) },
		"TypeName":   func() { TypeName(map[string]any{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took it", name)
				}
			}()
			f()
		}()
	}
}
