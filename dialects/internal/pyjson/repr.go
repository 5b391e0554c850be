package pyjson

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Str is Python's str(value): a string as it is, anything else as
// [AppendRepr] writes it. DRF coerces the input of a text field that way
// (rest_framework/fields.py, CharField.to_internal_value): since 3.4.4 only
// numbers, earlier also booleans, lists and objects.
func Str(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	return string(AppendRepr(nil, value))
}

// TypeName is Python 3's type(value).__name__, such as "NoneType" or "dict",
// which DRF names in "Invalid data. Expected a dictionary, but got list.".
func TypeName(value any) string {
	switch value.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case Int, int, int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case *Object:
		return "dict"
	}
	panic(fmt.Sprintf("pyjson: no Python type for a %T", value))
}

// AppendRepr writes Python 3's repr(value) and returns the longer slice. Which
// characters count as printable is a matter of the Unicode version; Go's is used.
func AppendRepr(dst []byte, value any) []byte {
	var few [4]unwritten // not calls, for the reason that [scanner.value] has
	open := few[:0]
	for {
		switch v := value.(type) {
		case []any:
			dst = append(dst, '[')
			open = append(open, unwritten{items: v, closing: ']'})
		case *Object:
			dst = append(dst, '{')
			open = append(open, unwritten{members: v.members, closing: '}'})
		default:
			dst = appendScalarRepr(dst, value)
		}
		for len(open) > 0 && open[len(open)-1].empty() {
			dst = append(dst, open[len(open)-1].closing)
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			return dst
		}
		dst, value = open[len(open)-1].next(dst)
	}
}

// unwritten is the rest of a container of which something may have been written.
type unwritten struct {
	items   []any
	members []member
	closing byte
	begun   bool
}

func (u *unwritten) empty() bool { return len(u.items) == 0 && len(u.members) == 0 }

// next writes what precedes the next value, which it takes.
func (u *unwritten) next(dst []byte) ([]byte, any) {
	if u.begun {
		dst = append(dst, ", "...)
	}
	u.begun = true
	if len(u.items) > 0 {
		value := u.items[0]
		u.items = u.items[1:]
		return dst, value
	}
	m := u.members[0]
	u.members = u.members[1:]
	return append(appendStringRepr(dst, m.key), ": "...), m.value
}

func appendScalarRepr(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(dst, "None"...)
	case bool:
		if v {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case Int:
		return append(dst, v...)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendFloat(dst, v, reprFloatWords())
	case string:
		return appendStringRepr(dst, v)
	}
	panic(fmt.Sprintf("pyjson: no repr for a %T", value))
}

// appendStringRepr is unicode_repr (Objects/unicodeobject.c).
func appendStringRepr(dst []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	dst = append(dst, quote)
	for i := 0; i < len(s); {
		r, size := decodeRune(s[i:])
		i += size
		switch {
		case r == rune(quote) || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case unicode.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r <= 0xFF:
			dst = appendHex(append(dst, `\x`...), r, 2)
		case r <= 0xFFFF:
			dst = appendHex(append(dst, `\u`...), r, 4)
		default:
			dst = appendHex(append(dst, `\U`...), r, 8)
		}
	}
	return append(dst, quote)
}

// floatWords are the names of the values that are not numbers.
type floatWords struct {
	nan, inf string
}

func jsonFloatWords() floatWords { return floatWords{"NaN", "Infinity"} }
func reprFloatWords() floatWords { return floatWords{"nan", "inf"} }

// appendFloat is float.__repr__: the shortest digits that read back the same,
// with an exponent below 1e-4 and from 1e16 on (Python/pystrtod.c, format 'r').
func appendFloat(dst []byte, f float64, words floatWords) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, words.nan...)
	case math.IsInf(f, 1):
		return append(dst, words.inf...)
	case math.IsInf(f, -1):
		return append(append(dst, '-'), words.inf...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if strings.IndexByte(string(dst[start:]), '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}
