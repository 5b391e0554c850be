package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Position is a place in a file. Line and column count from 1, the column in code
// points. Line is 0 if only the file is known.
type Position struct {
	File   string
	Line   int
	Column int
}

// String gives the position as file:line:column, which editors understand.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// MarshalText writes a position as its String does.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// A Problem is one thing that is wrong in a file.
type Problem struct {
	Position Position
	// Key is the path of keys, as endpoints.login.reply.status; empty if the problem is
	// with the file as a whole.
	Key  string
	Text string
}

// String gives the problem as file:line:column: key: text.
func (p Problem) String() string {
	if p.Key == "" {
		return p.Position.String() + ": " + p.Text
	}
	return p.Position.String() + ": " + p.Key + ": " + p.Text
}

// Problems are problems of one or more files.
type Problems []Problem

// Error gives the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Sort puts the problems in the order of the files. Those at one position stay in the
// order in which they were found.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
		)
	})
}
