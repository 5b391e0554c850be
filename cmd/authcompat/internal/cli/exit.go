package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// Execute runs the command that the arguments of the process name, until it is done or ctx
// ends. It writes the error, if there is one, and returns the exit code.
func Execute(ctx context.Context, s Streams) int {
	cmd, err := newRoot(s).ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var exit *exitError
	if errors.As(err, &exit) {
		if exit.err != nil {
			complain(s.Err, exit.err)
		}
		return exit.code
	}
	complain(s.Err, err)
	if cmd.Annotations[failsAsCouldNotRun] != "" {
		return couldNotRun
	}
	return 1
}

// couldNotRun is the exit code of a conformance run that proves nothing: 1 says there that
// something differs.
const couldNotRun = 2

// failsAsCouldNotRun is the annotation of a command whose errors, those of its arguments
// included, have the exit code couldNotRun.
const failsAsCouldNotRun = "could-not-run"

// complain writes an error, which may have names in it that users chose.
func complain(w io.Writer, err error) {
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = strings.ReplaceAll(text, context.Canceled.Error(), "interrupted")
	}
	fmt.Fprintln(w, "authcompat:", term.PrintableLines(text))
}

// exitError is an error with its own exit code. If err is nil, nothing more is written.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }
