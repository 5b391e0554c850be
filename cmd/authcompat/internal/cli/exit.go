package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
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
		return command.Good
	}
	code := command.CouldNotRun
	if own, err := strconv.Atoi(cmd.Annotations[command.FailureCode]); err == nil {
		code = own
	}
	var exit *command.ExitError
	if errors.As(err, &exit) {
		code, err = exit.Code, exit.Err
	}
	switch {
	case err == nil: // the output says it
	case asksForJSON(cmd, os.Args[1:]):
		complainInJSON(s.Err, err, code)
	default:
		complain(s.Err, err)
	}
	return code
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

// complain writes an error, which may have names in it that users chose. One that begins with a position in
// a file stands alone: editors and CI find FILE:LINE:COLUMN at the beginning of a line.
func complain(w io.Writer, err error) {
	text := term.PrintableLines(errorText(err))
	if !beginsWithPosition(text) {
		text = "authcompat: " + text
	}
	fmt.Fprintln(w, text)
}

// beginsWithPosition reports whether a text begins with FILE:LINE:COLUMN: and a space.
func beginsWithPosition(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	return regexp.MustCompile(`^(?:[^":]|:[^ "])+?:[0-9]+:[0-9]+: `).MatchString(line)
}

// errorText returns the text of an error.
func errorText(err error) string {
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = strings.ReplaceAll(text, context.Canceled.Error(), "interrupted")
	}
	return text
}
