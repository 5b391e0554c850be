package pyjson

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// comparison is one question to CPython and this package's answer to it.
type comparison struct {
	question
	ours func() answer
}

// TestAgainstCPython compares this package with a running interpreter on generated and
// damaged inputs: what is accepted, the values, the error texts, and the output. Environment
// variables:
//
//	AUTHCOMPAT_PYJSON_INPUTS  the number of inputs, 20000 if unset; 120000 for a thorough run
//	AUTHCOMPAT_PYJSON_SEED    the seed of the inputs, 1 if unset
//	AUTHCOMPAT_PYJSON_PYTHON  the interpreter, python3 if unset; 2.7 and 3.6 or later can serve
func TestAgainstCPython(t *testing.T) {
	inputs := numberFromEnv(t, "AUTHCOMPAT_PYJSON_INPUTS", 20000)
	g := newGenerator(uint64(numberFromEnv(t, "AUTHCOMPAT_PYJSON_SEED", 1)))
	o := startOracle(t)
	accepted, refused, differences := 0, 0, 0
	const batch = 500
	for done := 0; done < inputs; done += batch {
		comparisons := make([]comparison, min(batch, inputs-done))
		questions := make([]question, len(comparisons))
		for i := range comparisons {
			comparisons[i] = g.comparison(o)
			questions[i] = comparisons[i].question
		}
		for i, want := range o.ask(t, questions) {
			got := comparisons[i].ours()
			if want.err != "" {
				refused++
			} else {
				accepted++
			}
			if diff := want.diff(got); diff != "" {
				differences++
				t.Errorf("%c %q:\n%s", questions[i].operation, questions[i].payload, diff)
			}
		}
		if differences > 20 {
			t.Fatal("too many differences")
		}
	}
	t.Logf("%d inputs: CPython accepted %d and refused %d", inputs, accepted, refused)
}

func numberFromEnv(t *testing.T, name string, unset int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return unset
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		t.Fatalf("%s: %q is no count", name, s)
	}
	return n
}

// diff is empty if both answers agree. A field that CPython leaves empty (one that
// differs in 2.7) is not compared.
func (a answer) diff(got answer) string {
	if a.err != got.err {
		return fmt.Sprintf("CPython's error: %s\nour error:       %s", a.err, got.err)
	}
	for i, field := range a.fields {
		if len(field) > 0 && string(field) != string(got.fields[i]) {
			return fmt.Sprintf("field %d of CPython: %q\nfield %d of ours:    %q", i, field, i, got.fields[i])
		}
	}
	return ""
}

func (g generator) comparison(o *oracle) comparison {
	python2 := o.python == Python27
	switch n := g.IntN(20); {
	case n < 11:
		return compareText(g.text(), Options{Python: o.python})
	case n < 12 && !python2:
		return compareText(g.text(), Options{Python: o.python, RejectConstants: true})
	case n < 14 && !python2:
		return compareBytes(g.body(), Options{Python: o.python})
	case n < 15:
		return compareFloat(g.float().value)
	case n < 18:
		return compareCharset(g.pick("R", "D"), g.pick("utf-8", "UTF8", "utf_8", "Utf-8"), g.damage([]byte(g.text())), o)
	}
	names := charsetSpellings()
	if python2 {
		names = []string{"ascii", "latin-1", "cp1252", "iso-8859-7"}
	}
	return compareCharset(g.pick("R", "D"), g.respell(g.pick(names...)), g.body(), o)
}

// respell varies the spelling of a charset's name in ways that Python ignores.
func (g generator) respell(name string) string {
	switch g.IntN(4) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		return strings.ReplaceAll(name, "-", "_")
	case 2:
		return strings.ReplaceAll(name, "-", " ")
	}
	return name
}

func compareText(text string, o Options) comparison {
	operation := byte('L')
	if o.RejectConstants {
		operation = 'C'
	}
	return comparison{question{operation, []byte(text)}, func() answer {
		value, err := Decode(text, o)
		return describe(value, err)
	}}
}

func compareBytes(body []byte, o Options) comparison {
	return comparison{question{'B', body}, func() answer {
		value, err := DecodeBytes(body, o)
		return describe(value, err)
	}}
}

func compareFloat(f float64) comparison {
	bits := binary.BigEndian.AppendUint64(nil, math.Float64bits(f))
	return comparison{question{'F', bits}, func() answer {
		return answer{fields: [][]byte{AppendRepr(nil, f), Append(nil, f, Spaced())}}
	}}
}

func compareCharset(operation, name string, body []byte, o *oracle) comparison {
	payload := append([]byte(name+"\x00"), body...)
	return comparison{question{operation[0], payload}, func() answer {
		c, ok := LookupCharset(name)
		if !ok {
			return answer{err: "unknown charset"}
		}
		decode := c.Decode
		if operation == "R" {
			decode = c.DecodeStream
		}
		text, err := decode(body, o.python)
		if err != nil {
			return describe(nil, err)
		}
		return answer{fields: [][]byte{[]byte(text)}}
	}}
}

// describe returns the same fields as the function of that name in testdata/oracle.py.
func describe(value any, err error) answer {
	var refusal *ValueError
	switch {
	case errors.As(err, &refusal):
		return answer{err: refusal.Text}
	case err != nil:
		return answer{err: "not a ValueError: " + err.Error()}
	}
	return answer{fields: [][]byte{
		canonical(nil, value),
		Append(nil, value, Compact()),
		Append(nil, value, Indented(3)),
		Append(nil, value, Spaced()),
		AppendRepr(nil, value),
		[]byte(Str(value)),
		[]byte(TypeName(value)),
	}}
}

// canonical writes values so that different values never look the same.
func canonical(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(dst, 'n')
	case bool:
		if v {
			return append(dst, 't')
		}
		return append(dst, 'f')
	case Int:
		return fmt.Appendf(dst, "i%s;", string(v))
	case float64:
		if math.IsNaN(v) {
			return fmt.Appendf(dst, "d%x;", "nan")
		}
		return fmt.Appendf(dst, "d%016x;", math.Float64bits(v))
	case string:
		return fmt.Appendf(dst, "s%d:%s", len(v), v)
	case []any:
		dst = append(dst, '[')
		for _, item := range v {
			dst = canonical(dst, item)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for key, item := range v.All() {
			dst = canonical(canonical(dst, key), item)
		}
		return append(dst, '}')
	}
	panic(fmt.Sprintf("no canonical form for a %T", value))
}
