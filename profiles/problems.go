package profiles

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Position is a place in a profile file. Line and column count from 1, the
// column in code points.
type Position struct {
	File   string
	Line   int
	Column int
}

// String gives the position as file:line:column, which editors understand.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// A Problem is one thing that is wrong in a profile file.
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

// Problems is the error for a profile that can't be loaded: all its problems, at least
// one, in the order of the file.
type Problems struct{ List []Problem }

// Error gives the problems, one a line.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, problem := range p.List {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// problemsOf gives the error for the problems that were found, nil if there are none. A
// problem that an alias brings to two places is in it once.
func problemsOf(found []Problem) error {
	if len(found) == 0 {
		return nil
	}
	list := slices.Clone(found)
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
		)
	})
	seen := map[Problem]bool{}
	return &Problems{List: slices.DeleteFunc(list, func(p Problem) bool {
		p.Key = p.Key[strings.LastIndexByte(p.Key, '.')+1:]
		again := seen[p]
		seen[p] = true
		return again
	})}
}
