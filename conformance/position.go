package conformance

import (
	"fmt"
	"strings"
)

// A Position is a place in an exchange file; line and column count from 1.
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns the position as file:line:column, which editors understand.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// A Problem is one error in an exchange file.
type Problem struct {
	Position Position
	Key      string // the path of keys down to it, as exchanges[2].steps[0].response.body; empty for the file
	Text     string
}

// String returns the problem as file:line:column: key: text.
func (p Problem) String() string {
	if p.Key == "" {
		return p.Position.String() + ": " + p.Text
	}
	return p.Position.String() + ": " + p.Key + ": " + p.Text
}

// Problems are all errors in an exchange file, in the order of the file.
type Problems []Problem

// Error returns the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}
