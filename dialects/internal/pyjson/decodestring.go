package pyjson

import "strings"

// str reads a string, the opening quote included (Modules/_json.c,
// scanstring_unicode with strict=True).
func (s *scanner) str() (string, error) {
	begin := s.pos
	s.pos++
	if s.python2() && s.atEnd() {
		return "", &ValueError{"end is out of bounds"}
	}
	plain, err := s.plain(begin)
	if err != nil {
		return "", err
	}
	if s.text[s.pos] == '"' {
		s.pos++
		return plain, nil
	}
	buf := append(make([]byte, 0, 2*len(plain)+16), plain...)
	for s.text[s.pos] == '\\' {
		r, err := s.escape(begin)
		if err != nil {
			return "", err
		}
		buf = appendRune(buf, r)
		if plain, err = s.plain(begin); err != nil {
			return "", err
		}
		buf = append(buf, plain...)
	}
	s.pos++
	return string(buf), nil
}

// plain reads up to the next quote or backslash, which it leaves.
func (s *scanner) plain(begin int) (string, error) {
	for i := s.pos; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"' || c == '\\':
			plain := s.text[s.pos:i]
			s.pos = i
			return plain, nil
		case c < ' ':
			return "", s.fail("Invalid control character at", i)
		}
	}
	return "", s.fail("Unterminated string starting at", begin)
}

// escape reads one escape sequence, or two that make a surrogate pair.
func (s *scanner) escape(begin int) (rune, error) {
	backslash := s.pos
	s.pos += 2
	if s.pos > len(s.text) {
		return 0, s.fail("Unterminated string starting at", begin)
	}
	switch c := s.text[backslash+1]; c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicodeEscape(backslash)
	}
	return 0, s.fail("Invalid \\escape", backslash)
}

// unicodeEscape reads the digits of a \u whose backslash is at the offset.
func (s *scanner) unicodeEscape(backslash int) (rune, error) {
	high, ok := s.hex4(s.pos)
	if !ok {
		return 0, s.fail("Invalid \\uXXXX escape", backslash+1)
	}
	s.pos += 4
	if high < 0xD800 || high > 0xDBFF || !strings.HasPrefix(s.text[s.pos:], `\u`) {
		return high, nil
	}
	low, ok := s.hex4(s.pos + 2)
	if !ok {
		return 0, s.fail("Invalid \\uXXXX escape", s.pos+1)
	}
	if low < 0xDC00 || low > 0xDFFF {
		return high, nil // and the second escape is read on its own
	}
	s.pos += len(`\uDC00`)
	return 0x10000 + (high-0xD800)<<10 + (low - 0xDC00), nil
}

// hex4 reads four hexadecimal digits at the offset. At least one character
// must follow them: CPython looks for room for the closing quote first.
func (s *scanner) hex4(at int) (rune, bool) {
	if at+4 >= len(s.text) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s.text[at : at+4]) {
		r <<= 4
		switch {
		case '0' <= c && c <= '9':
			r |= rune(c - '0')
		case 'a' <= c && c <= 'f':
			r |= rune(c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			r |= rune(c - 'A' + 10)
		default:
			return 0, false
		}
	}
	return r, true
}
