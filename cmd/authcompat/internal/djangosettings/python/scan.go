package python

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// maxDepth is how deep brackets, and texts in texts, may be nested. CPython's own parser stops at 200
// (Parser/tokenizer.c, MAXLEVEL).
const maxDepth = 100

// kind is that of a token.
type kind int

const (
	nameToken kind = iota
	numberToken
	stringToken
	opToken // an operator or a bracket
)

// token is one word of a file.
type token struct {
	kind
	text    string // of a string: its contents
	literal literal
	pos     yamlfile.Position
	match   int // of an opening bracket: the place of the closing one among the tokens of the line
}

// is tells whether a token is this operator.
func (t token) is(op string) bool { return t.kind == opToken && t.text == op }

// word tells whether a token is this name or keyword.
func (t token) word(name string) bool { return t.kind == nameToken && t.text == name }

// line is a logical line: all that stands in brackets is one line, however long
// (Python Language Reference, 2.1).
type line struct {
	indent int
	tokens []token
}

// scanner divides a file into tokens.
type scanner struct {
	file   string
	text   []byte
	at     int // the next byte
	number int // of the line, from 1

	column, columnAt int // the column of the byte columnAt, in code points from 1

	lines []line
	open  []int // the places of the brackets that are open
}

// scan gives the logical lines of a file that have tokens. The error says where it is no Python.
func scan(file string, text []byte) ([]line, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	s := &scanner{file: file, text: text, number: 1, column: 1}
	for s.at < len(text) {
		if err := s.line(); err != nil {
			return nil, err
		}
	}
	return s.lines, nil
}

// pos is where the next byte stands.
func (s *scanner) pos() yamlfile.Position {
	s.column += utf8.RuneCount(s.text[s.columnAt:s.at])
	s.columnAt = s.at
	return yamlfile.Position{File: s.file, Line: s.number, Column: s.column}
}

func (s *scanner) peek(ahead int) byte {
	if s.at+ahead < len(s.text) {
		return s.text[s.at+ahead]
	}
	return 0
}

// newline goes over the end of a line, if there is one here: \n, \r\n or \r.
func (s *scanner) newline() bool {
	switch {
	case s.at == len(s.text):
		return false
	case s.peek(0) == '\r' && s.peek(1) == '\n':
		s.at += 2
	case s.peek(0) == '\n' || s.peek(0) == '\r':
		s.at++
	default:
		return false
	}
	s.number++
	s.column, s.columnAt = 1, s.at
	return true
}

// line reads a logical line.
func (s *scanner) line() error {
	var l line
	for ; s.at < len(s.text); s.at++ {
		switch s.peek(0) {
		case ' ':
			l.indent++
			continue
		case '\t':
			l.indent = l.indent/8*8 + 8
			continue
		case '\f':
			l.indent = 0
			continue
		}
		break
	}
	s.open = s.open[:0]
	for s.at < len(s.text) {
		switch c := s.peek(0); {
		case c == ' ' || c == '\t' || c == '\f':
			s.at++
			continue
		case c == '#':
			for s.at < len(s.text) && s.peek(0) != '\n' && s.peek(0) != '\r' {
				s.at++
			}
			continue
		case c == '\\' && (s.peek(1) == '\n' || s.peek(1) == '\r'):
			s.at++
			s.newline()
			continue
		}
		if s.newline() {
			if len(s.open) == 0 {
				break
			}
			continue
		}
		t, err := s.token()
		if err != nil {
			return err
		}
		if err := s.bracket(&l, &t); err != nil {
			return err
		}
		l.tokens = append(l.tokens, t)
	}
	if n := len(s.open); n > 0 {
		return fmt.Errorf("%s: this bracket is never closed", l.tokens[s.open[n-1]].pos)
	}
	if len(l.tokens) > 0 {
		s.lines = append(s.lines, l)
	}
	return nil
}

// bracket notes an opening bracket, and finds the one that t closes.
func (s *scanner) bracket(l *line, t *token) error {
	if t.kind != opToken {
		return nil
	}
	switch t.text {
	case "(", "[", "{":
		if len(s.open) == maxDepth {
			return fmt.Errorf("%s: brackets are nested more than %d deep", t.pos, maxDepth)
		}
		s.open = append(s.open, len(l.tokens))
	case ")", "]", "}":
		n := len(s.open) - 1
		if n < 0 || closing(l.tokens[s.open[n]].text) != t.text {
			return fmt.Errorf("%s: %s closes no bracket", t.pos, t.text)
		}
		l.tokens[s.open[n]].match = len(l.tokens)
		s.open = s.open[:n]
	}
	return nil
}

func closing(bracket string) string {
	return map[string]string{"(": ")", "[": "]", "{": "}"}[bracket]
}

// operators of more than one character, the longer ones first.
var operators = []string{
	"**=", "//=", ">>=", "<<=", "...",
	":=", "->", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "**", "//", "<<", ">>",
}

// token reads the token that begins here.
func (s *scanner) token() (token, error) {
	pos, start := s.pos(), s.at
	c, size := utf8.DecodeRune(s.text[s.at:])
	switch {
	case c == utf8.RuneError && size == 1:
		return token{}, fmt.Errorf("%s: this is not UTF-8", pos)
	case c == '"' || c == '\'':
		return s.stringToken(pos, "")
	case c >= '0' && c <= '9' || c == '.' && isDigit(s.peek(1)):
		s.numberEnd()
		return token{kind: numberToken, text: string(s.text[start:s.at]), pos: pos}, nil
	case isLetter(c):
		for s.at < len(s.text) {
			c, size := utf8.DecodeRune(s.text[s.at:])
			if !isLetter(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.Mn, c) || c == utf8.RuneError && size == 1 {
				break
			}
			s.at += size
		}
		name := string(s.text[start:s.at])
		if q := s.peek(0); (q == '"' || q == '\'') && isPrefix(name) {
			return s.stringToken(pos, strings.ToLower(name))
		}
		return token{kind: nameToken, text: name, pos: pos}, nil
	case c > unicode.MaxASCII || c < ' ':
		return token{}, fmt.Errorf("%s: %q is not a character of Python's", pos, c)
	}
	for _, op := range operators {
		if bytes.HasPrefix(s.text[s.at:], []byte(op)) {
			s.at += len(op)
			return token{kind: opToken, text: op, pos: pos}, nil
		}
	}
	s.at++
	return token{kind: opToken, text: string(c), pos: pos}, nil
}

func isLetter(c rune) bool { return c == '_' || unicode.IsLetter(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// numberEnd goes to the end of a number.
func (s *scanner) numberEnd() {
	for s.at < len(s.text) {
		c := s.peek(0)
		switch {
		case isDigit(c) || c == '.' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			s.at++
			if (c == 'e' || c == 'E') && (s.peek(0) == '-' || s.peek(0) == '+') && !s.isHex() {
				s.at++
			}
			continue
		}
		return
	}
}

// isHex tells whether the number that ends here is one with 0x, in which E is a digit.
func (s *scanner) isHex() bool {
	start := s.at
	for start > 0 && (isDigit(s.text[start-1]) || s.text[start-1] >= 'A' && s.text[start-1] <= 'z') && s.at-start < 20 {
		start--
	}
	return bytes.HasPrefix(bytes.ToLower(s.text[start:s.at]), []byte("0x"))
}
