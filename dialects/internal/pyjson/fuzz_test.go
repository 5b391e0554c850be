package pyjson

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

// FuzzDecode checks that nothing panics, that errors are of the two kinds, and that
// written values, in any style, are UTF-8 and read back unchanged.
func FuzzDecode(f *testing.F) {
	g := newGenerator(2)
	for range 200 {
		f.Add(g.text(), uint8(g.IntN(5)))
	}
	f.Fuzz(func(t *testing.T, text string, python uint8) {
		o := Options{Python: Python(python % 5), MaxDepth: 200}
		value, err := Decode(text, o)
		if err != nil {
			checkErrorKind(t, err)
			return
		}
		if !utf8.ValidString(text) {
			return // surrogate pairs that were not escapes are joined when read back
		}
		want := string(canonical(nil, value))
		for _, style := range []Style{Compact(), Spaced(), Indented(4)} {
			written := Append(nil, value, style)
			if !utf8.Valid(written) {
				t.Fatalf("%q is no UTF-8", written)
			}
			again, err := Decode(string(written), o)
			if err != nil {
				t.Fatalf("reading %q back: %v", written, err)
			}
			if got := string(canonical(nil, again)); got != want {
				t.Fatalf("%q reads back as %q, want %q", written, got, want)
			}
		}
		AppendRepr(nil, value)
	})
}

// FuzzDecodeStandard checks that JSON which encoding/json accepts is accepted here.
func FuzzDecodeStandard(f *testing.F) {
	g := newGenerator(3)
	for range 200 {
		f.Add(g.text())
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		_, err := Decode(text, Options{RejectConstants: true, Python: Python36, MaxDepth: 20000})
		if err != nil {
			t.Fatalf("Decode(%q): %v", text, err)
		}
	})
}

// FuzzDecodeBytes decodes bytes in every charset and with json.loads(bytes).
func FuzzDecodeBytes(f *testing.F) {
	g := newGenerator(4)
	for range 200 {
		f.Add(g.body(), g.pick(charsetSpellings()...), uint8(g.IntN(5)))
	}
	f.Fuzz(func(t *testing.T, body []byte, charset string, python uint8) {
		p := Python(python % 5)
		if _, err := DecodeBytes(body, Options{Python: p}); err != nil {
			checkErrorKind(t, err)
		}
		c, _ := LookupCharset(charset)
		for _, decode := range []func([]byte, Python) (string, error){c.Decode, c.DecodeStream} {
			text, err := decode(body, p)
			if err != nil {
				checkErrorKind(t, err)
			} else if p != Python27 && !utf8.ValidString(text) {
				t.Fatalf("%s: %q is no UTF-8", charset, text)
			}
		}
	})
}

func checkErrorKind(t *testing.T, err error) {
	t.Helper()
	var refusal *ValueError
	var depth *DepthError
	if !errors.As(err, &refusal) && !errors.As(err, &depth) {
		t.Fatalf("an error of another kind: %v", err)
	}
}
