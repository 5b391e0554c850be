// Command authcompat speaks old token-auth APIs over one modern auth engine.
//
// Exit codes of every command: 0 it is done and all is good; 1 a verdict, such as a bad profile, a
// response that differs or rows that were refused; 2 wrong usage, or the command could not do its work.
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
