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
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// explainArguments lets the errors of a command's arguments, and of those below it, say
// what is wanted. What was given is not shown, except for names of commands and of built-in
// profiles: people put passwords there.
func explainArguments(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if i := slices.Index(args, ""); i >= 0 {
				return fmt.Errorf("argument %d is empty: want %s", i+1, cmd.UseLine())
			}
			if check(cmd, args) == nil {
				return nil
			}
			if len(args) == 1 && args[0] == "help" {
				return fmt.Errorf("%s --help shows its help", cmd.CommandPath())
			}
			if len(args) > 0 && len(commandNames(cmd)) > 0 {
				return unknownCommand(cmd, args[0])
			}
			if missing := missingArgument(cmd.Use, len(args)); missing != "" {
				return fmt.Errorf("%s is missing: want %s", missing, cmd.UseLine())
			}
			if len(args) == 1 && strings.Contains(cmd.Use, " --"+profileFlag) {
				return bareProfile(cmd, args[0])
			}
			err := fmt.Errorf("%s given: want %s", term.Count(len(args), "argument", "arguments"), cmd.UseLine())
			if len(args) == 1 && cmd.Flags().Lookup("user") != nil && !strings.Contains(cmd.Use, "--user") {
				return fmt.Errorf("%w; --user gives a user", err)
			}
			return err
		}
	}
	for _, below := range cmd.Commands() {
		explainArguments(below)
	}
}

// missingArgument returns what the first argument is called that a command lacks of which n are given, or
// "" if none is missing that is always needed.
func missingArgument(use string, n int) string {
	words := strings.Fields(use)[1:]
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case strings.HasPrefix(word, "-"):
			i++ // its value
			continue
		case strings.ContainsAny(word[:1], "[{|"):
			return ""
		}
		if n--; n >= 0 {
			continue
		}
		word, _, _ = strings.Cut(strings.TrimSuffix(word, "…"), "[")
		if word == strings.ToLower(word) { // the words themselves
			return "one of " + strings.ReplaceAll(word, "|", ", ")
		}
		return strings.ReplaceAll(word, "|", " or ")
	}
	return ""
}

// profileFlag is the flag with the profile that a command works on.
const profileFlag = "profile"

// bareProfile returns the error of an argument where a profile is given with a flag.
func bareProfile(cmd *cobra.Command, arg string) error {
	if profiles.Has(arg) {
		return fmt.Errorf("%s is a profile, which --%s gives: %s --%[2]s %[1]s", arg, profileFlag, cmd.CommandPath())
	}
	err := fmt.Errorf("1 argument given: want %s", cmd.UseLine())
	if strings.HasSuffix(cmd.Use, "|"+arg) { // all
		return fmt.Errorf("%w; did you mean --%s %s?", err, profileFlag, arg)
	}
	if near := yamlfile.Nearest(arg, profiles.Builtin()); near != "" {
		return fmt.Errorf("%w; did you mean --%s %s?", err, profileFlag, near)
	}
	return fmt.Errorf("%w; --%s gives the profile", err, profileFlag)
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
		if meant := meantFlag(cmd, unknown); meant != "" {
			return fmt.Errorf("%w; did you mean %s?", err, meant)
		}
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
