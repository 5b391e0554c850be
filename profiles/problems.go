package profiles

import (
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// A Position is a place in a profile file.
type Position = yamlfile.Position

// A Problem is one thing that is wrong in a profile file.
type Problem = yamlfile.Problem

// Problems is the error for a profile that can't be loaded: all its problems, at least
// one, in the order of the file.
type Problems struct{ List []Problem }

// Error gives the problems, one a line.
func (p *Problems) Error() string { return yamlfile.Problems(p.List).Error() }

// problemsOf gives the error for the problems that were found, nil if there are none. A
// problem that an alias brings to two places is in it once.
func problemsOf(found yamlfile.Problems) error {
	if len(found) == 0 {
		return nil
	}
	list := slices.Clone(found)
	list.Sort()
	seen := map[Problem]bool{}
	return &Problems{List: slices.DeleteFunc(list, func(p Problem) bool {
		p.Key = p.Key[strings.LastIndexByte(p.Key, '.')+1:]
		again := seen[p]
		seen[p] = true
		return again
	})}
}
