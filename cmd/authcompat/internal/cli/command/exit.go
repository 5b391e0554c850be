package command

import "fmt"

// Exit codes of all commands.
const (
	// Good: what was asked for is done, and nothing is wrong with it.
	Good = 0
	// Verdict: the command ran to its end, and what it looked at is not good: a file has problems, a
	// server answers otherwise than documented, rows were refused.
	Verdict = 1
	// CouldNotRun: wrong arguments or settings, or the command failed: nothing is proved by it.
	CouldNotRun = 2
)

// FailureCode is the annotation of a command with the exit code of its errors, those of its
// arguments included, where CouldNotRun means something else.
const FailureCode = "failure-code"

// ExitError is an error with its own exit code: others have CouldNotRun. If Err is nil, nothing
// more is written.
type ExitError struct {
	Code int
	Err  error
}

// Error implements error.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the error that has the exit code.
func (e *ExitError) Unwrap() error { return e.Err }
