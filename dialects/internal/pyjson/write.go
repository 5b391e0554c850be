package pyjson

import (
	"fmt"
	"strconv"
)

// Style says how values are written: the parameters of json.dumps.
type Style struct {
	ItemSeparator string // between members
	KeySeparator  string // between a key and its value
	// ASCII writes everything beyond ASCII as \uXXXX (ensure_ascii). Without
	// it text is UTF-8, except for U+2028 and U+2029, which DRF from 3.0.1 on
	// escapes for JavaScript's sake, and surrogates, for which there is no UTF-8.
	ASCII bool
	// Lines puts each member on a line of its own, indented by Indent spaces per
	// level (indent=N; N may be 0).
	Lines  bool
	Indent int
}

// Compact is how DRF 3.0 and later render (COMPACT_JSON, UNICODE_JSON).
func Compact() Style { return Style{ItemSeparator: ",", KeySeparator: ":"} }

// Spaced is json.dumps without parameters, and so Django's JsonResponse.
func Spaced() Style { return Style{ItemSeparator: ", ", KeySeparator: ": ", ASCII: true} }

// Indented is how DRF 3.0 and later answer "Accept: application/json;
// indent=N" for N from 1 to 8.
func Indented(n int) Style {
	return Style{ItemSeparator: ",", KeySeparator: ": ", Lines: true, Indent: n}
}

// Append writes a value and returns the longer slice. NaN and the infinities
// are written as NaN, Infinity and -Infinity, as json.dumps does.
func Append(dst []byte, value any, style Style) []byte {
	w := writer{dst: dst, style: style}
	w.value(value)
	return w.dst
}

type writer struct {
	dst   []byte
	style Style
	level int
}

func (w *writer) value(value any) {
	switch v := value.(type) {
	case nil:
		w.dst = append(w.dst, "null"...)
	case bool:
		w.dst = strconv.AppendBool(w.dst, v)
	case Int:
		w.dst = append(w.dst, v...)
	case int:
		w.dst = strconv.AppendInt(w.dst, int64(v), 10)
	case int64:
		w.dst = strconv.AppendInt(w.dst, v, 10)
	case float64:
		w.dst = appendFloat(w.dst, v, jsonFloatWords())
	case string:
		w.dst = AppendString(w.dst, v, w.style.ASCII)
	case []any:
		w.array(v)
	case *Object:
		w.object(v)
	default:
		panic(fmt.Sprintf("pyjson: no JSON for a %T", value))
	}
}

func (w *writer) array(items []any) {
	if len(items) == 0 {
		w.dst = append(w.dst, "[]"...)
		return
	}
	w.dst = append(w.dst, '[')
	w.level++
	for i, item := range items {
		w.separate(i)
		w.value(item)
	}
	w.level--
	w.newline()
	w.dst = append(w.dst, ']')
}

func (w *writer) object(o *Object) {
	if o.Len() == 0 {
		w.dst = append(w.dst, "{}"...)
		return
	}
	w.dst = append(w.dst, '{')
	w.level++
	for i, m := range o.members {
		w.separate(i)
		w.dst = AppendString(w.dst, m.key, w.style.ASCII)
		w.dst = append(w.dst, w.style.KeySeparator...)
		w.value(m.value)
	}
	w.level--
	w.newline()
	w.dst = append(w.dst, '}')
}

// separate writes what stands before the member with that number.
func (w *writer) separate(i int) {
	if i > 0 {
		w.dst = append(w.dst, w.style.ItemSeparator...)
	}
	w.newline()
}

func (w *writer) newline() {
	if !w.style.Lines {
		return
	}
	w.dst = append(w.dst, '\n')
	for range w.level * w.style.Indent {
		w.dst = append(w.dst, ' ')
	}
}
