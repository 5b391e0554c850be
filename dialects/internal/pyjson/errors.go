package pyjson

import (
	"fmt"
	"strings"
)

// ValueError is a refusal for which CPython raises ValueError or one of its
// subclasses (json.JSONDecodeError, UnicodeDecodeError): the class that DRF's
// JSONParser turns into "JSON parse error - " and the text. The text is
// CPython's, letter by letter; it holds no part of the input but single bytes
// in hexadecimal and the names of constants.
type ValueError struct {
	Text string
}

// Error is CPython's text.
func (e *ValueError) Error() string { return e.Text }

// DepthError says that containers are nested deeper than [Options] allow. It
// stands for CPython's RecursionError, which is no ValueError: the genuine
// stacks answer 500 to it.
type DepthError struct {
	Limit int // the deepest nesting that is allowed
}

// Error names the limit.
func (e *DepthError) Error() string {
	return fmt.Sprintf("JSON is nested deeper than %d levels", e.Limit)
}

// syntaxError is json.JSONDecodeError for the byte offset at (Lib/json/decoder.py).
func syntaxError(text, msg string, at int) *ValueError {
	return &ValueError{msg + ": " + locate(text, at).String()}
}

// extraDataPython2 is Python 2's error for text behind the value, with the range from
// there to the end.
func extraDataPython2(text string, at int) *ValueError {
	from, to := locate(text, at), locate(text, len(text))
	return &ValueError{fmt.Sprintf("Extra data: line %d column %d - line %d column %d (char %d - %d)",
		from.line, from.column, to.line, to.column, from.char, to.char)}
}

// place is a position in text as CPython counts it: in code points, the line
// and the column from 1. Only \n ends a line.
type place struct {
	line, column, char int
}

func (p place) String() string {
	return fmt.Sprintf("line %d column %d (char %d)", p.line, p.column, p.char)
}

func locate(text string, at int) place {
	before := text[:at]
	start := strings.LastIndexByte(before, '\n') + 1
	return place{
		line:   strings.Count(before, "\n") + 1,
		column: Len(before[start:]) + 1,
		char:   Len(before),
	}
}
