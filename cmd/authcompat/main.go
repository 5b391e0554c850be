// Command authcompat speaks old token-auth APIs over one modern auth engine.
//
// Exit codes: 0 all went well; 1 the command failed, or found what it looks for
// (a bad profile, a mismatch); 2 a conformance run that could not run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newRoot(streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}).ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var exit *exitError
	if errors.As(err, &exit) {
		if exit.err != nil {
			complain(exit.err)
		}
		return exit.code
	}
	complain(err)
	return 1
}

// complain tells what went wrong. The error may name what a stranger chose.
func complain(err error) { fmt.Fprintln(os.Stderr, "authcompat:", printableLines(err.Error())) }

// exitError ends the program with a code of its own. A nil err means that all
// has been said already.
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
