package python

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// literal is what a text in quotes says beside its contents (Python Language Reference, 2.4.1 and 2.4.3).
type literal struct {
	bytes  bool
	opaque string // why its contents are not known, or ""
	// parts are those of an f-string: texts and names in turn, a text first.
	parts []string
}

// isPrefix tells whether a name in front of a quote is the prefix of a text.
func isPrefix(name string) bool {
	return slices.Contains([]string{"r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt", "ur"}, strings.ToLower(name))
}

// stringToken reads a text whose opening quote is the next byte.
func (s *scanner) stringToken(pos yamlfile.Position, prefix string) (token, error) {
	t := token{kind: stringToken, pos: pos}
	raw, formatted := strings.Contains(prefix, "r"), strings.Contains(prefix, "f")
	start, end, err := s.quoted(pos, formatted || strings.Contains(prefix, "t"), 0)
	if err != nil {
		return t, err
	}
	content := strings.ReplaceAll(strings.ReplaceAll(string(s.text[start:end]), "\r\n", "\n"), "\r", "\n")
	if !utf8.ValidString(content) {
		return t, fmt.Errorf("%s: this text is not UTF-8", pos)
	}
	t.literal.bytes = strings.Contains(prefix, "b")
	switch {
	case strings.Contains(prefix, "t"):
		t.literal.opaque = "is a template string"
	case formatted:
		t.literal.parts, t.literal.opaque = fields(content, raw)
	case raw:
		t.text = content
	default:
		t.text, t.literal.opaque = unescape(content)
	}
	return t, nil
}

// quoted goes over a text in quotes and gives the bounds of its contents. A quote in the braces of an
// f-string begins a text in that text, which Python reads so from 3.12 on and refuses before.
func (s *scanner) quoted(pos yamlfile.Position, formatted bool, depth int) (start, end int, err error) {
	if depth > maxDepth {
		return 0, 0, fmt.Errorf("%s: texts are nested more than %d deep", pos, maxDepth)
	}
	quote := string(s.peek(0))
	if s.peek(1) == s.peek(0) && s.peek(2) == s.peek(0) {
		quote = strings.Repeat(quote, 3)
	}
	s.at += len(quote)
	start = s.at
	for braces := 0; s.at < len(s.text); {
		c := s.peek(0)
		switch {
		case formatted && braces > 0 && (c == '"' || c == '\''):
			if _, _, err := s.quoted(pos, true, depth+1); err != nil {
				return 0, 0, err
			}
			continue
		case strings.HasPrefix(string(s.text[s.at:min(s.at+len(quote), len(s.text))]), quote):
			end = s.at
			s.at += len(quote)
			return start, end, nil
		case formatted && (c == '{' || c == '}') && s.peek(1) == c && braces == 0:
			s.at++
		case formatted && c == '{':
			braces++
		case formatted && c == '}' && braces > 0:
			braces--
		case c == '\\' && braces == 0:
			s.at++
			if s.newline() {
				continue
			}
		case (c == '\n' || c == '\r') && len(quote) == 1 && braces == 0:
			return 0, 0, fmt.Errorf("%s: this text has no end in its line", pos)
		}
		if !s.newline() {
			s.at++
		}
	}
	return 0, 0, fmt.Errorf("%s: this text has no end", pos)
}

// fields divides the contents of an f-string at its names in braces.
func fields(content string, raw bool) (parts []string, opaque string) {
	var text strings.Builder
	end := func() {
		part := text.String()
		if !raw {
			part, opaque = unescape(part)
		}
		parts = append(parts, part)
		text.Reset()
	}
	for i := 0; i < len(content); i++ {
		c := content[i]
		switch {
		case (c == '{' || c == '}') && i+1 < len(content) && content[i+1] == c:
			text.WriteByte(c)
			i++
		case c == '{':
			name, _, closed := strings.Cut(content[i+1:], "}")
			if !closed || !isIdentifier(name) {
				return nil, "is an f-string with an expression"
			}
			if end(); opaque != "" {
				return nil, opaque
			}
			parts = append(parts, name)
			i += 1 + len(name)
		default:
			text.WriteByte(c)
		}
	}
	end()
	return parts, opaque
}

// isIdentifier tells whether a text is a name in ASCII.
func isIdentifier(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// unescape reads the escapes of a text. An escape that Python doesn't know stands for itself.
func unescape(s string) (text, opaque string) {
	if !strings.Contains(s, `\`) {
		return s, ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		c := s[i]
		if at := strings.IndexByte(`\'"abfnrtv`, c); at >= 0 {
			b.WriteByte("\\'\"\a\b\f\n\r\t\v"[at])
			continue
		}
		digits, base, least := 0, 16, 0
		switch {
		case c == '\n':
			continue
		case c == 'x':
			digits, least = 2, 2
		case c == 'u':
			digits, least = 4, 4
		case c == 'U':
			digits, least = 8, 8
		case c == 'N':
			return "", "has a character by its name"
		case c >= '0' && c <= '7':
			digits, base, least = 3, 8, 1
			i--
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
			continue
		}
		n := 0
		for n < digits && i+1+n < len(s) && strings.IndexByte("0123456789abcdefABCDEF"[:map[int]int{8: 8, 16: 22}[base]], s[i+1+n]) >= 0 {
			n++
		}
		code, err := strconv.ParseUint(s[i+1:i+1+n], base, 32)
		if n < least || err != nil || !utf8.ValidRune(rune(code)) || code > utf8.MaxRune {
			return "", "has an escape that is no character"
		}
		b.WriteRune(rune(code))
		i += n
	}
	return b.String(), ""
}
