package origin

import (
	"errors"
	"fmt"
	"regexp"
)

// Pattern is a regular expression of Python's, which Go's package regexp has compiled: matching
// takes time that is linear in the text.
type Pattern struct{ compiled *regexp.Regexp }

// maxPattern is the most bytes that a pattern may have. Django has no limit; what people write
// has some dozens.
const maxPattern = 1000

// CompilePattern reads a pattern as Python's re of version 3.11 does, of str. It fails, and
// says what and why, for what re refuses too, and for what Go's regexp can't do: looking ahead
// or behind, references back to a group, conditions, possessive repeats and atomic groups, and
// the edges of words (\b), which Go knows of ASCII alone.
func CompilePattern(pattern string) (*Pattern, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("has more than %d bytes", maxPattern)
	}
	t := translator{in: []rune(pattern)}
	if err := t.run(); err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(`\A(?:` + t.out.String() + `)`)
	if err != nil {
		return nil, errors.New("is no pattern that Go's regexp can match: " + reason(err))
	}
	return &Pattern{compiled}, nil
}

// Match tells whether the pattern matches at the start of a text, which may go on behind
// it: Python's re.match.
func (p *Pattern) Match(text string) bool { return p.compiled.MatchString(text) }
