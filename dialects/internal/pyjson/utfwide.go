package pyjson

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// wide is the state of decoding UTF-16 or UTF-32.
type wide struct {
	body     []byte
	pos      int
	unit     int // bytes in a code unit: 2 or 4
	order    binary.ByteOrder
	encoding string // as error texts name it
	handling handling
	python   Python
	text     []byte
}

// decodeWide is PyUnicode_DecodeUTF16Stateful or PyUnicode_DecodeUTF32Stateful
// (Objects/unicodeobject.c) on a little-endian machine.
func decodeWide(body []byte, c codec, h handling, p Python) (string, error) {
	w := wide{body: body, unit: 2, order: binary.LittleEndian, handling: h, python: p}
	name := "utf-16"
	if c >= utf32Codec {
		w.unit, name = 4, "utf-32"
	}
	marked := true
	switch c {
	case utf16BECodec, utf32BECodec:
		w.order = binary.BigEndian
	case utf16Codec, utf32Codec:
		marked = w.readMark()
	}
	w.encoding = name + "-le"
	if w.order == binary.BigEndian {
		w.encoding = name + "-be"
	}
	w.text = make([]byte, 0, len(body)/w.unit+8)
	if err := w.run(); err != nil {
		return "", err
	}
	if h == stream && !marked && w.pos >= w.unit {
		// Lib/encodings/utf_16.py and utf_32.py, StreamReader.decode.
		if p == Python313 {
			return "", decodeError(name, body, 0, w.unit, "Stream does not start with BOM")
		}
		return "", &ValueError{strings.ToUpper(name) + " stream does not start with BOM"}
	}
	return string(w.text), nil
}

// readMark steps over a byte order mark and says whether there was one.
func (w *wide) readMark() bool {
	if len(w.body) < w.unit {
		return false
	}
	const mark = 0xFEFF
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		w.order = order
		if w.read(0) == mark {
			w.pos = w.unit
			return true
		}
	}
	w.order = binary.LittleEndian
	return false
}

// read returns the code unit at an offset.
func (w *wide) read(at int) uint32 {
	if w.unit == 2 {
		return uint32(w.order.Uint16(w.body[at:]))
	}
	return w.order.Uint32(w.body[at:])
}

func (w *wide) run() error {
	for len(w.body)-w.pos >= w.unit {
		u := w.read(w.pos)
		switch {
		case u > 0x10FFFF && w.handling == replace:
			w.replace(w.unit)
		case u > 0x10FFFF:
			return w.fail(w.unit, "code point not in range(0x110000)")
		case !isSurrogate(rune(u)):
			w.text = appendRune(w.text, rune(u))
			w.pos += w.unit
		case w.unit == 2 && w.pair(rune(u)):
		case w.handling == stream && w.cut(u):
			return nil
		case w.handling == surrogatePass:
			w.text = appendRune(w.text, rune(u))
			w.pos += w.unit
		case w.handling == replace && w.cut(u):
			w.replace(len(w.body) - w.pos)
		case w.handling == replace:
			w.replace(w.unit)
		default:
			return w.failSurrogate(u)
		}
	}
	if w.pos < len(w.body) && w.handling == replace {
		w.replace(len(w.body) - w.pos)
	}
	if w.pos < len(w.body) && w.handling != stream {
		return w.fail(len(w.body)-w.pos, "truncated data")
	}
	return nil
}

// replace steps over what can't be decoded.
func (w *wide) replace(length int) {
	w.text = appendRune(w.text, utf8.RuneError)
	w.pos += length
}

// pair joins two UTF-16 surrogates.
func (w *wide) pair(high rune) bool {
	if high >= 0xDC00 || len(w.body)-w.pos < 4 {
		return false
	}
	low := rune(w.read(w.pos + 2))
	if low < 0xDC00 || low > 0xDFFF {
		return false
	}
	w.text = appendRune(w.text, 0x10000+(high-0xD800)<<10+(low-0xDC00))
	w.pos += 4
	return true
}

// cut says whether the body ends where the second half of a pair should be.
// CPython up to 3.6 says so after a second half, too.
func (w *wide) cut(u uint32) bool {
	return w.unit == 2 && len(w.body)-w.pos < 4 && (u < 0xDC00 || w.python == Python36)
}

func (w *wide) failSurrogate(u uint32) error {
	switch {
	case w.unit == 4:
		return w.fail(4, "code point in surrogate code point range(0xd800, 0xe000)")
	case w.cut(u):
		return w.fail(len(w.body)-w.pos, unexpectedEnd)
	case u >= 0xDC00:
		return w.fail(2, "illegal encoding")
	}
	return w.fail(2, "illegal UTF-16 surrogate")
}

func (w *wide) fail(length int, reason string) error {
	return decodeError(w.encoding, w.body, w.pos, w.pos+length, reason)
}
