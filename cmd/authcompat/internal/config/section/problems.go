package section

import (
	"errors"
	"fmt"
	"strings"
)

// Problems are all problems of the settings, in the order in which they were found.
type Problems struct {
	Lines []string
	// Refused are the flags that a source has an invalid value for: what they hold is not
	// what was meant, and is not checked further.
	Refused map[string]bool
	// Unread is set if nothing is known of what the configuration file should say: it is not
	// there, or is no YAML.
	Unread bool
	// NotRead is set if the configuration file is not there, or can't be read as a file.
	NotRead bool
}

// ErrNotRead is that of problems of which one is a configuration file that could not be read.
var ErrNotRead = errors.New("the configuration file could not be read")

type notRead struct{ error }

// Is implements the interface of errors.Is.
func (notRead) Is(target error) bool { return target == ErrNotRead }

// Add adds a problem at a source: a position with its key, a flag or a variable.
func (p *Problems) Add(at, format string, args ...any) {
	p.Lines = append(p.Lines, at+": "+fmt.Sprintf(format, args...))
}

// Refuse records a flag whose value is invalid.
func (p *Problems) Refuse(flag string) {
	if p.Refused == nil {
		p.Refused = make(map[string]bool)
	}
	p.Refused[flag] = true
}

// Err returns an error with all problems, one a line; nil if there are none. It is ErrNotRead
// if NotRead is set.
func (p *Problems) Err() error {
	if len(p.Lines) == 0 {
		return nil
	}
	err := errors.New(strings.Join(p.Lines, "\n"))
	if p.NotRead {
		return notRead{err}
	}
	return err
}
