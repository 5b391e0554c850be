// Command authcompat speaks old token-auth APIs over one modern auth engine.
//
// Exit codes: 0 all went well; 1 the command failed, or found what it looks for
// (a bad profile, a mismatch); 2 a conformance run that could not run.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Execute(ctx, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
