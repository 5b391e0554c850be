package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// problems is all that is wrong with the settings, in the order in which it was
// found.
type problems struct {
	lines []string
	// refused are the flags to which a source gave a value that was not taken:
	// what they hold says nothing of what was meant.
	refused map[string]bool
	// unread tells that nothing is known of the configuration file.
	unread bool
}

// add adds a problem at a place: a position with its key, a flag or a variable.
func (p *problems) add(at, format string, args ...any) {
	p.lines = append(p.lines, at+": "+fmt.Sprintf(format, args...))
}

// refuse notes a flag whose value was not taken.
func (p *problems) refuse(flag string) {
	if p.refused == nil {
		p.refused = make(map[string]bool)
	}
	p.refused[flag] = true
}

// err is the error of the problems, one a line; nil if there are none.
func (p *problems) err() error {
	if len(p.lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(p.lines, "\n"))
}

// source names where a flag's value comes from: the place in the configuration
// file, the variable, or the flag itself. i is the value of a list that is meant.
func source(f *pflag.Flag, i int) string {
	if at := f.Annotations[configPlaces]; i < len(at) {
		return at[i]
	}
	if name := f.Annotations[fromEnvironment]; name != nil {
		return name[0]
	}
	return "--" + f.Name
}
