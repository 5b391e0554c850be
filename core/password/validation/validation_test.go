package validation

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestVectors holds what Django 3.2.25 said of some hundred passwords.
func TestVectors(t *testing.T) {
	data, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	common, err := ReadCommon(strings.NewReader(listed))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(data) {
		var v vector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(v.Failures, v.failures(common)); d != "" {
			t.Errorf("%+v (-want +got):\n%s", v, d)
		}
		n++
	}
	if n < 300 {
		t.Errorf("%d vectors", n)
	}
}

// TestEdges holds the places at which a password passes.
func TestEdges(t *testing.T) {
	common, err := ReadCommon(strings.NewReader("secret\r\n caf\u00e9 \rSHOUT\n"))
	if err != nil {
		t.Fatal(err)
	}
	john := Attributes("john", "", "", "jsmith@example.com")
	for _, test := range []struct {
		password string
		with     Validator
		want     string // the code; empty: it passes
	}{
		{"1234567", MinLength(8), "password_too_short"}, {"12345678", MinLength(8), ""}, {"日本語日本語日", MinLength(8), "password_too_short"},
		{"\xed\xa0\x80\xed\xb0\x80", MinLength(3), "password_too_short"}, {"\xed\xa0\x80\xed\xb0\x80", MinLength(2), ""}, {"\xff\xfe\xfd", MinLength(3), ""},
		{"٣²①", Numeric{}, "password_entirely_numeric"}, {"12½", Numeric{}, ""}, {"1_0", Numeric{}, ""}, {"", Numeric{}, ""},
		{"\u2003SECRET\x1c", common, "password_too_common"}, {"CAFÉ", common, "password_too_common"}, {"shout", common, ""}, {"SHOUT", common, ""},
		{"nhoj", DefaultSimilarity, "password_too_similar"}, {"johnxxx", DefaultSimilarity, "password_too_similar"}, {"johnxxxx", DefaultSimilarity, ""},
		{"EXAMPLE", DefaultSimilarity, "password_too_similar"}, {"HTIMSJ", DefaultSimilarity, "password_too_similar"}, {"com", DefaultSimilarity, "password_too_similar"}, {"nothing alike", DefaultSimilarity, ""},
	} {
		f, failed := test.with.Validate(test.password, john)
		if failed != (test.want != "") || failed && f.Kind.String() != test.want {
			t.Errorf("%q with %v: %v, %t; want %q", test.password, test.with, f.Kind, failed, test.want)
		}
	}
}

// TestOrder gives all failures, in the order of the validators.
func TestOrder(t *testing.T) {
	got := Validate("12", Attributes("", "", "12", ""), []Validator{Numeric{}, MinLength(9), DefaultSimilarity})
	want := []Failure{{Kind: EntirelyNumeric}, {Kind: TooShort, MinLength: 9}, {Kind: TooSimilar, Attribute: "last name"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReadCommon(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("one\ntwo")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	want := Common{"one": {}, "two": {}}
	for name, text := range map[string]string{"packed": packed.String(), "plain": "one\ntwo\n", "Windows": " one\r\ntwo\r\n"} {
		if got, err := ReadCommon(strings.NewReader(text)); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"empty": {"", errEmptyList}, "Latin-1": {"caf\xe9\n", errNotUTF8}, "no lines": {strings.Repeat("x", maxLine+1), errLineTooLong},
		"cut": {packed.String()[:packed.Len()-4], io.ErrUnexpectedEOF}, "no gzip": {"\x1f\x8babc", io.ErrUnexpectedEOF},
	} {
		if _, err := ReadCommon(strings.NewReader(test.text)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLongPasswords validates what a client could send to cost time. It takes a second at most, and
// some more with the race detector; what is not linear would take hours.
func TestLongPasswords(t *testing.T) {
	const mebibyte = 1 << 20
	words := strings.Repeat("ab-", 80)
	for _, password := range []string{strings.Repeat("x", mebibyte), strings.Repeat("Σ'", mebibyte/3), strings.Repeat("\u0301", mebibyte/2), "a" + strings.Repeat("'", mebibyte)} {
		began := time.Now()
		Validate(password, Attributes(words, words, words, words), []Validator{DefaultSimilarity, DefaultMinLength, Common{}, Numeric{}})
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%.10q…: %s", password, took)
		}
	}
}

// Splitting is re.split's, whose parts are the text again with separators between them.
func FuzzValidate(f *testing.F) {
	f.Add("secret", "john smith")
	f.Add("\xed\xa0\x80Σ", "ΑΣ.Σ")
	f.Fuzz(func(t *testing.T, password, value string) {
		parts, joined := words(codePoints(value)), 0
		for _, p := range parts {
			joined += len(p)
		}
		if joined > length(value) || length(value) != len(codePoints(value)) {
			t.Errorf("%q: %q", value, parts)
		}
		Validate(password, Attributes(value, "", "", value), []Validator{DefaultSimilarity, DefaultMinLength, Common{}, Numeric{}})
	})
}
