package differential

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// jsonValue encodes a text as JSON, or returns another value.
func (g *Generator) jsonValue(text string) string {
	if g.chance(12) {
		return pick(g, g.odd.json)
	}
	return g.jsonString(text)
}

// jsonString encodes a string as one JSON encoder or another does.
func (g *Generator) jsonString(text string) string {
	switch g.rand.IntN(4) {
	case 0: // everything beyond ASCII escaped, as Python writes it
		var b strings.Builder
		b.WriteByte('"')
		for _, r := range text {
			switch {
			case r == '"' || r == '\\':
				b.WriteString(`\` + string(r))
			case r >= 0x20 && r < 0x7f:
				b.WriteRune(r)
			case r > 0xffff:
				high, low := utf16.EncodeRune(r)
				fmt.Fprintf(&b, `\u%04x\u%04X`, high, low)
			default:
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		}
		b.WriteByte('"')
		return b.String()
	case 1: // slashes escaped, as PHP writes it
		return strings.ReplaceAll(plainString(text), "/", `\/`)
	}
	return plainString(text)
}

func plainString(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a string can always be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// oddValues are values that are not strings, and strings that only JSON can express.
func oddValues() []string {
	return []string{"null", "true", "false", "0", "1", "-1", "-0", "1.5", "-0.0", "1.0", "1e5", "1E400", "-1e400", "1e22", "1e16", "1e-7", "123456789.123456789", "0.1", "5e-324", "1.7976931348623157e308",
		"123456789012345678901234567890", strings.Repeat("1", 150), strings.Repeat("1", 151), strings.Repeat("1", 4300), strings.Repeat("1", 4301), strings.Repeat("1", 5000), "NaN", "Infinity", "-Infinity", "[]", "[1]", `["john"]`, "{}", `{"a":1}`, `{"username":"john"}`,
		strings.Repeat("[", 50) + strings.Repeat("]", 50), strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500), strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		`"\ud800"`, `"a\udfffb"`, `"\ud83d\ude00"`, `"\ude00\ud83d"`, `"\ud83d\ud83d\ude00"`, `"\ud83dx"`, `"\ud83d\u0041"`, `"\uD83D\uDE00"`, `"\u0000"`, `"\u0007"`, `"\u2028"`, `"\/"`, `"\b\f\n\r\t\\\""`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\u+123"`, `"\u 123"`, `"\U0041"`, "\"a\nb\"", "\"a\tb\"", "\"a\x00b\"", "\"a\x7fb\"", "\"\xff\"", "\"\xed\xa0\x80\"", "'john'", "john", "01", "1.", ".5", "+1", "0x1", "1e", "--1", "tru", "nul", "\"john", "[1,2,]", `{"a":1,}`, "[1 2]", `{"a" 1}`, `{"a":}`, `{a:1}`, `{1:2}`, `{"a":1,,"b":2}`, "", "[,]", "{,}"}
}

// jsonBody encodes an object, and sometimes breaks it or uses another charset.
func (g *Generator) jsonBody(pairs []pair) []byte {
	comma, colon, open, closing := ",", ":", "{", "}"
	switch g.rand.IntN(4) {
	case 0:
		comma, colon = ", ", ": "
	case 1:
		comma, colon, open, closing = ",\n  ", ": ", "{\n  ", "\n}\n"
	}
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = g.jsonString(p.name) + colon + p.json
	}
	body := open + strings.Join(parts, comma) + closing
	if !g.chance(20) {
		return []byte(body)
	}
	switch g.rand.IntN(12) {
	case 0:
		body = open + strings.Join(parts, comma) + comma + closing
	case 1:
		body = "\xef\xbb\xbf" + body
	case 2:
		body += pick(g, []string{"x", "{}", "\x00", "\u00a0", "]", "}", "//", "\xe2\x80", "\xff"})
	case 3:
		body = strings.ReplaceAll(body, `"`, "'")
	case 4:
		body = "[" + body + "]"
	case 5:
		body = plainString(body)
	case 6:
		body = pick(g, []string{"\t\r\n ", "\v", "\u2028", "\x00"}) + body
	case 7:
		return utf16Bytes(body, pick(g, []bool{true, false}), pick(g, []bool{true, false}))
	case 8:
		return latin1Bytes(body)
	default:
		return g.spoil([]byte(body))
	}
	return []byte(body)
}

func utf16Bytes(text string, big, mark bool) []byte {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b []byte
	for _, u := range units {
		high, low := byte(u>>8), byte(u)
		if big {
			b = append(b, high, low)
		} else {
			b = append(b, low, high)
		}
	}
	return b
}

func latin1Bytes(text string) []byte {
	var b []byte
	for _, r := range text {
		b = append(b, byte(min(r, 0xff)))
	}
	return b
}
