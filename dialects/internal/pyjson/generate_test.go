package pyjson

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"unicode/utf16"
)

// generator makes inputs that are close to what a JSON reader accepts. The same
// seed gives the same inputs.
type generator struct {
	*rand.Rand
}

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 0x6a736f6e))}
}

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

// text returns JSON, JSON with errors, or something that only resembles it.
func (g generator) text() string {
	var b strings.Builder
	switch g.IntN(10) {
	case 0, 1:
		g.value(&b, 6)
	case 2, 3, 4, 5:
		g.value(&b, 4)
		return g.mutate(b.String(), 1+g.IntN(4))
	case 6, 7:
		for range 1 + g.IntN(12) {
			b.WriteString(g.token())
		}
	case 8:
		open, closing := g.pick("", "[", `{"a":`, "[1,", " "), g.pick("", "]", "}", " ", ",", "x")
		b.WriteString(open + g.numberSoup() + closing)
	case 9:
		b.WriteString(g.pick("", "[", "{", `{"k":`) + `"` + g.stringSoup() + g.pick(`"`, `"`, `"`, "", `"]`, `":1}`, `"}`))
	}
	return b.String()
}

func (g generator) value(b *strings.Builder, depth int) {
	g.blanks(b)
	defer g.blanks(b)
	kind := g.IntN(12)
	if depth == 0 {
		kind = g.IntN(8)
	}
	switch {
	case kind < 3:
		b.WriteString(g.str())
	case kind < 6:
		b.WriteString(g.number())
	case kind < 8:
		b.WriteString(g.pick("null", "true", "false", "null", "true", "false", "NaN", "Infinity", "-Infinity"))
	case kind < 10:
		b.WriteByte('[')
		for i := range g.IntN(5) {
			if i > 0 {
				b.WriteByte(',')
			}
			g.value(b, depth-1)
		}
		b.WriteByte(']')
	default:
		b.WriteByte('{')
		for i := range g.size() {
			if i > 0 {
				b.WriteByte(',')
			}
			g.blanks(b)
			b.WriteString(g.str())
			g.blanks(b)
			b.WriteByte(':')
			g.value(b, depth-1)
		}
		b.WriteByte('}')
	}
}

// size is sometimes large enough for an object to need an index.
func (g generator) size() int {
	if g.IntN(20) == 0 {
		return 10 + g.IntN(10)
	}
	return g.IntN(5)
}

func (g generator) blanks(b *strings.Builder) {
	for g.IntN(6) == 0 {
		b.WriteString(g.pick(" ", "\n", "\t", "\r", "  "))
	}
}

func (g generator) str() string {
	switch g.IntN(4) {
	case 0:
		return g.pick(`"a"`, `"b"`, `"username"`, `"password"`, `"token"`, `""`)
	case 1:
		return `"` + g.pick("x", "y", "z", "é", "\U0001f600") + string(rune('a'+g.IntN(26))) + `"`
	}
	return `"` + g.validString() + `"`
}

func (g generator) validString() string {
	var b strings.Builder
	for range g.IntN(8) {
		b.WriteString(g.pick("a", "'", "/", "é", "ß", "\u2028", "\u2029", "\u20ac", "\U0001f600", "\U0010ffff", "\ufeff", "\x7f", "\u00a0",
			`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\u0000`, `\u001f`, `\u00e9`, `\u2028`, `\uD83D\uDE00`, `\ud83d`, `\uDE00`, `\uffff`,
			`\ud83d\ud83d\ude00`, "\xed\xa0\xbd", "\xed\xb8\x80", `\u007f`, "\u0301", "\u200b", "\u3000"))
	}
	return b.String()
}

func (g generator) stringSoup() string {
	var b strings.Builder
	for range g.IntN(8) {
		b.WriteString(g.pick("a", `\`, `\u`, `\u12`, `\u00e9`, `\ud83d`, `\ude00`, `\U0041`, `\x41`, `\'`, `\0`, "\x00", "\x1f", "\n", "\t",
			`\u+123`, `\u 123`, `\u-123`, `\u0x12`, `\u1_23`, "\\u12é4", "\\u１２３４", `\ud83d\u`, `\ud83d\u12`, `\ud83d\n`, "\\é", "é",
			"\U0001f600", `"`, "/", "'", `\\`, `\"`, "\x7f", "\u2028", `\ud83d\udE0g`, "\xed\xa0\xbd", `\uDBFF\uDFFF`, `\ud800\ue000`))
	}
	return b.String()
}

func (g generator) number() string {
	switch g.IntN(14) {
	case 0:
		return g.pick("0", "-0", "1", "-1", "0.0", "-0.0", "1.0", "1e400", "-1e400", "1e-400", "5e-324", "2e-324", "1e16", "1e22",
			"123456789012345678", "1e15", "9007199254740993", "1.7976931348623157e308", "1.7976931348623159e308", "0.1", "1E5", "1e+5", "0.0001", "0.00001")
	case 1:
		return g.digits(1+g.IntN(40)) + "." + g.digits(1+g.IntN(40))
	case 2:
		return g.float().text
	case 3:
		if g.IntN(60) == 0 {
			return g.pick("", "-") + "1" + g.digits(4296+g.IntN(8))
		}
		return g.pick("", "-") + "0." + g.digits(1+g.IntN(20)) + g.pick("e", "E") + g.pick("", "+", "-") + g.digits(1+g.IntN(4))
	case 4:
		if g.IntN(60) == 0 { // far longer than any double, and not quite halfway between two
			return "1." + strings.Repeat("0", 15) + "11102230246251565404236316680908203125" + strings.Repeat("0", g.IntN(12000)) + g.pick("", "1", "e3")
		}
		if g.IntN(60) == 0 {
			zeros := 9990 + g.IntN(200)
			return "0." + strings.Repeat("0", zeros) + "12e" + strings.Repeat("0", g.IntN(3)) + g.digits(1+g.IntN(6))
		}
	}
	if g.IntN(2) == 0 {
		return g.pick("", "-") + string(rune('1'+g.IntN(9))) + g.digits(g.IntN(25))
	}
	return g.pick("", "-") + string(rune('0'+g.IntN(10))) + "." + g.digits(1+g.IntN(18)) + g.pick("", "e5", "E-7", "e+300", "e-300")
}

func (g generator) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + g.IntN(10))
	}
	return string(b)
}

func (g generator) numberSoup() string {
	b := make([]byte, 1+g.IntN(9))
	for i := range b {
		b[i] = "0123456789012-+.eE.-e0 _xI"[g.IntN(26)]
	}
	return string(b)
}

type float struct {
	value float64
	text  string
}

// float is any bit pattern, or a number of common size.
func (g generator) float() float {
	f := math.Float64frombits(g.Uint64())
	switch g.IntN(4) {
	case 0:
		f = float64(g.Int64()) / math.Pow(10, float64(g.IntN(25)))
	case 1:
		f = float64(g.IntN(2000000)-1000000) * math.Pow(10, float64(g.IntN(44)-22))
	}
	text := string(appendFloat(nil, f, jsonFloatWords()))
	return float{f, text}
}

func (g generator) token() string {
	return g.pick("{", "}", "[", "]", ",", ":", `"`, `"a"`, `"b":`, "1", "0", "-", "1.5", "null", "true", "false", "NaN", "Infinity", "-Infinity",
		"nul", "tru", "fals", "Na", "Infinit", "-Infinit", "nulll", " ", "\n", "\t", "\r", "\v", "\f", "\u00a0", "\ufeff", "\x00", "é", "'", "\\", "/", "//", "#",
		`"a":1`, `"a":`, `"é\n"`, "[]", "{}", "[1,2]", `{"a":1}`, "\U0001f600", "\u2028", "None", "True", "\r\n", ",,", "[[", "]]", "}}", "{{")
}

// mutate damages a text in a few places.
func (g generator) mutate(text string, times int) string {
	var runes []string
	for len(text) > 0 {
		_, size := decodeRune(text)
		runes = append(runes, text[:size])
		text = text[size:]
	}
	for range times {
		if len(runes) == 0 {
			runes = []string{g.token()}
			continue
		}
		i := g.IntN(len(runes))
		switch g.IntN(6) {
		case 0:
			runes = append(runes[:i:i], runes[i+1:]...)
		case 1:
			runes = append(runes[:i:i], append([]string{g.token()}, runes[i:]...)...)
		case 2:
			runes[i] = g.token()
		case 3:
			runes = runes[:i]
		case 4:
			runes = append(runes, g.token())
		case 5:
			j := g.IntN(len(runes))
			runes[i], runes[j] = runes[j], runes[i]
		}
	}
	return strings.Join(runes, "")
}

// body is a text in an encoding that json.loads detects, sometimes damaged.
func (g generator) body() []byte {
	text := g.text()
	var b []byte
	switch g.IntN(8) {
	case 0:
		b = utf16Bytes(text, binary.LittleEndian, g.IntN(2) == 0)
	case 1:
		b = utf16Bytes(text, binary.BigEndian, g.IntN(2) == 0)
	case 2:
		b = utf32Bytes(text, binary.LittleEndian, g.IntN(2) == 0)
	case 3:
		b = utf32Bytes(text, binary.BigEndian, g.IntN(2) == 0)
	case 4:
		b = []byte("\ufeff" + text)
	default:
		b = []byte(text)
	}
	if g.IntN(2) == 0 {
		b = g.damage(b)
	}
	return b
}

func (g generator) damage(b []byte) []byte {
	for range 1 + g.IntN(3) {
		if len(b) == 0 || g.IntN(8) == 0 {
			b = append(b, g.oddByte())
			continue
		}
		i := g.IntN(len(b))
		switch g.IntN(4) {
		case 0:
			b[i] = g.oddByte()
		case 1:
			b = append(b[:i:i], b[i+1:]...)
		case 2:
			b = append(b[:i:i], append([]byte{g.oddByte(), g.oddByte()}, b[i:]...)...)
		case 3:
			b = b[:i]
		}
	}
	return b
}

// oddByte is any byte, or one that UTF-8 treats specially.
func (g generator) oddByte() byte {
	const edges = "\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe2\xed\xef\xf0\xf1\xf4\xf5\xff\xd8\xdc\xfe"
	if g.IntN(4) == 0 {
		return byte(g.IntN(256))
	}
	return edges[g.IntN(len(edges))]
}

func utf16Bytes(s string, order binary.AppendByteOrder, mark bool) []byte {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xFEFF)
	}
	for len(s) > 0 {
		r, size := decodeRune(s)
		s = s[size:]
		if high, low := utf16.EncodeRune(r); high != 0xFFFD {
			b = order.AppendUint16(b, uint16(high))
			r = low
		}
		b = order.AppendUint16(b, uint16(r))
	}
	return b
}

func utf32Bytes(s string, order binary.AppendByteOrder, mark bool) []byte {
	var b []byte
	if mark {
		b = order.AppendUint32(b, 0xFEFF)
	}
	for len(s) > 0 {
		r, size := decodeRune(s)
		s = s[size:]
		b = order.AppendUint32(b, uint32(r))
	}
	return b
}
