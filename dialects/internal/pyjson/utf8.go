package pyjson

import (
	"strings"
	"unicode/utf8"
)

const (
	invalidStart        = "invalid start byte"
	invalidContinuation = "invalid continuation byte"
	unexpectedEnd       = "unexpected end of data"
)

// decodeUTF8 is PyUnicode_DecodeUTF8Stateful (Objects/unicodeobject.c).
func decodeUTF8(b []byte, h handling, p Python) (string, error) {
	if utf8.Valid(b) {
		return string(b), nil
	}
	encoding, examine := "utf-8", examineUTF8
	if p == Python27 {
		encoding, examine = "utf8", examineUTF8Python2
	}
	if h == replace {
		return replaceUTF8(b), nil
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r != utf8.RuneError || size > 1 {
			i += size
			continue
		}
		if _, ok := surrogateAt(b[i:]); ok && (h == surrogatePass || p == Python27) {
			i += 3
			continue
		}
		length, reason := examine(b[i:])
		if h == stream && (reason == unexpectedEnd || cutSurrogate(b[i:], p)) {
			return string(b[:i]), nil
		}
		return "", decodeError(encoding, b, i, i+length, reason)
	}
	return string(b), nil // only surrogates stood out
}

// replaceUTF8 writes U+FFFD for each stretch of bytes that CPython reports.
func replaceUTF8(b []byte) string {
	var text strings.Builder
	text.Grow(replacedLength(b))
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			size, _ = examineUTF8(b[i:])
		}
		text.WriteRune(r)
		i += size
	}
	return text.String()
}

// replacedLength is the length of what replaceUTF8 returns, or a little more: it may be three
// times that of the input, and would be copied several times as it grew.
func replacedLength(b []byte) int {
	n := 0
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		n += utf8.RuneLen(r)
		i += size
	}
	return n
}

// cutSurrogate says whether b is the beginning of a surrogate, of which a
// stream reader from 3.7 on awaits the third byte before it complains.
func cutSurrogate(b []byte, p Python) bool {
	return p != Python36 && len(b) == 2 && b[0] == 0xED && b[1]&0xC0 == 0x80
}

// examineUTF8 tells why b does not start with a character, and how many bytes
// CPython reports: those that could begin one (Objects/stringlib/codecs.h).
func examineUTF8(b []byte) (length int, reason string) {
	need := sequenceLength(b[0])
	if need == 0 {
		return 1, invalidStart
	}
	length = 1
	for length < len(b) && length < need && b[length]&0xC0 == 0x80 {
		if length == 1 && !secondByteFits(b[0], b[1]) {
			break
		}
		length++
	}
	if length == len(b) {
		return length, unexpectedEnd
	}
	return length, invalidContinuation
}

// examineUTF8Python2 is examineUTF8 for CPython 2.7, which looks at the length
// of the input first, and reports a wrong second byte together with those after it.
func examineUTF8Python2(b []byte) (length int, reason string) {
	need := sequenceLength(b[0])
	if need == 0 {
		return 1, invalidStart
	}
	reason = invalidContinuation
	if len(b) < need {
		reason = unexpectedEnd
		need = len(b) + 1
	}
	length = 1
	for length < need-1 && b[length]&0xC0 == 0x80 {
		length++
	}
	return length, reason
}

// sequenceLength is the number of bytes of a character that starts with c, or
// 0 if none of several bytes does.
func sequenceLength(c byte) int {
	switch {
	case c < 0xC2:
		return 0
	case c < 0xE0:
		return 2
	case c < 0xF0:
		return 3
	case c < 0xF5:
		return 4
	}
	return 0
}

// secondByteFits refuses overlong forms, surrogates and what is beyond U+10FFFF.
func secondByteFits(first, second byte) bool {
	switch first {
	case 0xE0:
		return second >= 0xA0
	case 0xED:
		return second < 0xA0
	case 0xF0:
		return second >= 0x90
	case 0xF4:
		return second < 0x90
	}
	return true
}
