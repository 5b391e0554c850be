package command

import "fmt"

// ExitError is an error with its own exit code. If Err is nil, nothing more is written.
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
