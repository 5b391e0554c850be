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
	// Before anything else: by default, a SIGHUP ends the process where it stands, and what a
	// command has not finished stays behind. After nohup it goes on being ignored.
	hangups := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(hangups, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Who presses Ctrl-C again does not want to wait for what the first one waits for.
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })
	return cli.Execute(ctx, hangups, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
