package jsontree

import (
	"fmt"
	"strings"
)

// Compact writes the value without white space. In strings, only the quote, the backslash and control
// characters are escaped.
func Compact(v Value) string {
	var b strings.Builder
	write(&b, v, "", ",", ":")
	return b.String()
}

// Indented writes the value for people: one item or member a line, indented by two spaces a level.
func Indented(v Value) string {
	var b strings.Builder
	write(&b, v, "\n", ",", ": ")
	return b.String()
}

// write begins each item's line with newline, which is empty for a document on one line.
func write(b *strings.Builder, v Value, newline, comma, colon string) {
	inner := newline
	if newline != "" {
		inner += "  "
	}
	switch v.Kind {
	case Null:
		b.WriteString("null")
	case Bool, Number:
		b.WriteString(v.Text)
	case String:
		writeString(b, v.Text)
	case Array:
		b.WriteByte('[')
		for i, item := range v.Items {
			separate(b, i, comma, inner)
			write(b, item, inner, comma, colon)
		}
		end(b, len(v.Items), newline, ']')
	case Object:
		b.WriteByte('{')
		for i, m := range v.Members {
			separate(b, i, comma, inner)
			writeString(b, m.Key)
			b.WriteString(colon)
			write(b, m.Value, inner, comma, colon)
		}
		end(b, len(v.Members), newline, '}')
	}
}

func separate(b *strings.Builder, i int, comma, inner string) {
	if i > 0 {
		b.WriteString(comma)
	}
	b.WriteString(inner)
}

func end(b *strings.Builder, n int, newline string, bracket byte) {
	if n > 0 {
		b.WriteString(newline)
	}
	b.WriteByte(bracket)
}

func writeString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < 0x20:
			fmt.Fprintf(b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
