package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// Execute runs the command that the arguments of the process name, until it is done or ctx
// ends; a signal in hangups, which is SIGHUP, ends any command but a server. It writes the
// error, if there is one, and returns the exit code.
func Execute(ctx context.Context, hangups <-chan os.Signal, s Streams) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	root := newRoot(s)
	unwritten := reportHelp(root)
	if cmd, _, err := root.Find(os.Args[1:]); err != nil || cmd.Annotations[reloadsOnHangup] == "" {
		go func() {
			select {
			case <-hangups:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	cmd, err := root.ExecuteContextC(ctx)
	if err = cmp.Or(err, *unwritten); err == nil {
		return 0
	}
	var exit *command.ExitError
	if errors.As(err, &exit) {
		if exit.Err != nil {
			complain(s.Err, exit.Err)
		}
		return exit.Code
	}
	complain(s.Err, err)
	if cmd.Annotations[failsAsCouldNotRun] != "" {
		return couldNotRun
	}
	return 1
}

// reloadsOnHangup is the annotation of a command to which SIGHUP is no reason to end.
const reloadsOnHangup = "reloads-on-hangup"

// reportHelp lets help that can't be written be an error, of which cobra says nothing. It is
// set when the command has been executed.
func reportHelp(root *cobra.Command) *error {
	var unwritten error
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var text bytes.Buffer
		out := cmd.OutOrStdout()
		cmd.SetOut(&text)
		help(cmd, args)
		cmd.SetOut(out)
		_, unwritten = text.WriteTo(out)
	})
	return &unwritten
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
