package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// problems are all problems of the settings, in the order in which they were found.
type problems struct {
	lines []string
	// refused are the flags that a source has an invalid value for: what they hold is not
	// what was meant, and is not checked further.
	refused map[string]bool
	// unread is set if the configuration file could not be read at all.
	unread bool
}

// add adds a problem at a source: a position with its key, a flag or a variable.
func (p *problems) add(at, format string, args ...any) {
	p.lines = append(p.lines, at+": "+fmt.Sprintf(format, args...))
}

// refuse records a flag whose value is invalid.
func (p *problems) refuse(flag string) {
	if p.refused == nil {
		p.refused = make(map[string]bool)
	}
	p.refused[flag] = true
}

// err returns an error with all problems, one a line; nil if there are none.
func (p *problems) err() error {
	if len(p.lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(p.lines, "\n"))
}

// source returns where the value of a flag comes from: the position in the configuration
// file, the variable, or the flag itself. i is the index of the value in a list.
func source(f *pflag.Flag, i int) string {
	if at := f.Annotations[configPlaces]; i < len(at) {
		return at[i]
	}
	if name := f.Annotations[fromEnvironment]; name != nil {
		return name[0]
	}
	return "--" + f.Name
}
