package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// explainArguments lets the errors of a command's arguments, and of those below it, say
// what is wanted. What was given is not shown, except for names of commands: people put
// passwords there.
func explainArguments(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if i := slices.Index(args, ""); i >= 0 {
				return fmt.Errorf("argument %d is empty: want %s", i+1, cmd.UseLine())
			}
			if check(cmd, args) == nil {
				return nil
			}
			if names := commandNames(cmd); len(args) > 0 && len(names) > 0 {
				return fmt.Errorf("%q is no command of %s: want %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
			}
			given := "no argument"
			if len(args) > 0 {
				given = term.Count(len(args), "argument", "arguments")
			}
			return fmt.Errorf("%s given: want %s", given, cmd.UseLine())
		}
	}
	for _, below := range cmd.Commands() {
		explainArguments(below)
	}
}

// commandNames returns the names of the commands below one.
func commandNames(cmd *cobra.Command) (names []string) {
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			names = append(names, below.Name())
		}
	}
	return names
}

// explainFlag returns the error of a flag in words that say what is wanted.
func explainFlag(cmd *cobra.Command, err error) error {
	err = config.FriendlyFlagError(cmd.Flags(), err)
	var unknown *pflag.NotExistError
	var valueless *pflag.ValueRequiredError
	var nameless *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-" // what follows the letter may be its value
		}
		err = fmt.Errorf("%s%s: %s has no such flag (--help shows those it has)", dashes, unknown.GetSpecifiedName(), cmd.CommandPath())
		if strings.HasSuffix(cmd.Use, " NAME") {
			err = fmt.Errorf("%w (a name that begins with a dash goes after --: %s -- NAME)", err, cmd.CommandPath())
		}
	case errors.As(err, &valueless):
		err = fmt.Errorf("--%s: a value is missing: %s", valueless.GetFlag().Name, valueless.GetFlag().Usage)
	case errors.As(err, &nameless):
		err = errors.New("a flag without a name: want --NAME VALUE or --NAME=VALUE")
	}
	return err
}
