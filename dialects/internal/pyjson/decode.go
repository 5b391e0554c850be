package pyjson

import (
	"math"
	"strings"
)

// DefaultMaxDepth is the depth of nesting that is allowed unless [Options] say otherwise.
// CPython up to 3.11 stops at its recursion limit of 1000 less the frames that
// are already in use, about 960 in a DRF view; 3.12 allows about 1490.
const DefaultMaxDepth = 1000

// Options select what differs between the places that read JSON. The zero
// value is json.loads of CPython 3.11.
type Options struct {
	// Python is the interpreter whose error texts are given.
	Python Python
	// RejectConstants refuses NaN, Infinity and -Infinity where they are met,
	// as DRF 3.7 and later do (rest_framework/utils/json.py, strict_constant).
	RejectConstants bool
	// MaxDepth is the number of containers that may be open at once; zero
	// means DefaultMaxDepth.
	MaxDepth int
}

// Decode is json.loads(text) of CPython with its C scanner (Modules/_json.c,
// Lib/json/decoder.py). The text is UTF-8, surrogates allowed as the package
// comment says. The error is a *[ValueError] or a *[DepthError]. Time and
// memory are linear in the text; strings of the result may share its memory.
func Decode(text string, o Options) (any, error) {
	const bom = "\ufeff"
	if o.Python != Python27 && strings.HasPrefix(text, bom) {
		return nil, syntaxError(text, "Unexpected UTF-8 BOM (decode using utf-8-sig)", 0)
	}
	return decodeText(text, o)
}

// decodeText is JSONDecoder.decode, which knows nothing of byte order marks.
func decodeText(text string, o Options) (any, error) {
	s := scanner{text: text, options: o, most: o.MaxDepth}
	if s.most == 0 {
		s.most = DefaultMaxDepth
	}
	s.skipBlanks()
	value, err := s.value()
	if err != nil {
		return nil, err
	}
	s.skipBlanks()
	if s.atEnd() {
		return value, nil
	}
	if o.Python == Python27 {
		return nil, extraDataPython2(text, s.pos)
	}
	return nil, s.fail("Extra data", s.pos)
}

// scanner walks once over the text. Offsets are in bytes: every comparison
// that CPython makes is with an ASCII character, so that code points matter
// only for the positions in errors.
type scanner struct {
	text    string
	pos     int
	options Options
	most    int // containers that may be open at once
}

func (s *scanner) atEnd() bool { return s.pos == len(s.text) }

func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

func (s *scanner) python2() bool { return s.options.Python == Python27 }

func (s *scanner) skipBlanks() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) fail(msg string, at int) error { return syntaxError(s.text, msg, at) }

// failValue says that no value starts at the offset (StopIteration in C).
func (s *scanner) failValue(at int) error {
	if s.python2() {
		return &ValueError{"No JSON object could be decoded"}
	}
	return s.fail("Expecting value", at)
}

// scalar reads any value but a container.
func (s *scanner) scalar() (any, error) {
	if s.atEnd() {
		return nil, s.failValue(s.pos)
	}
	switch s.text[s.pos] {
	case '"':
		return s.stringValue()
	case 'n':
		if s.word("null") {
			return nil, nil
		}
	case 't':
		if s.word("true") {
			return true, nil
		}
	case 'f':
		if s.word("false") {
			return false, nil
		}
	case 'N':
		if s.word("NaN") {
			return s.constant("NaN", math.NaN())
		}
	case 'I':
		if s.word("Infinity") {
			return s.constant("Infinity", math.Inf(1))
		}
	case '-':
		if s.word("-Infinity") {
			return s.constant("-Infinity", math.Inf(-1))
		}
	}
	return s.number()
}

// word steps over w if the text continues with it.
func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.text[s.pos:], w) {
		return false
	}
	s.pos += len(w)
	return true
}

func (s *scanner) constant(name string, value float64) (any, error) {
	if s.options.RejectConstants {
		return nil, &ValueError{"Out of range float values are not JSON compliant: '" + name + "'"}
	}
	return value, nil
}

func (s *scanner) stringValue() (any, error) {
	str, err := s.str()
	if err != nil {
		return nil, err
	}
	return str, nil
}
