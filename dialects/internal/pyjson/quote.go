package pyjson

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendString writes s as a JSON string in quotes, as [Style] with the same
// ASCII says. Bytes that are not text are written as U+FFFD.
func AppendString(dst []byte, s string, ascii bool) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' || c == 0x7F && ascii {
				dst = append(dst, s[done:i]...)
				dst = appendASCIIEscape(dst, c)
				done = i + 1
			}
			i++
			continue
		}
		r, size := decodeRune(s[i:])
		broken := r == utf8.RuneError && size == 1
		if ascii || broken || r == '\u2028' || r == '\u2029' || isSurrogate(r) {
			dst = append(dst, s[done:i]...)
			dst = appendEscape(dst, r)
			done = i + size
		}
		i += size
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

func appendASCIIEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return appendEscape(dst, rune(c))
}

// appendEscape writes \uXXXX, or two of them for a code point beyond U+FFFF.
func appendEscape(dst []byte, r rune) []byte {
	if r > 0xFFFF {
		r -= 0x10000
		dst = appendEscape(dst, 0xD800|r>>10)
		r = 0xDC00 | r&0x3FF
	}
	return appendHex(append(dst, `\u`...), r, 4)
}

func appendHex(dst []byte, r rune, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[r>>shift&0xF])
	}
	return dst
}
