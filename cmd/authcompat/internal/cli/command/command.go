// Package command has what the commands of authcompat share: groups, the store that they work on,
// warnings and exit codes.
package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Group returns a command that only has subcommands.
func Group(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: ShowHelp}
	cmd.AddCommand(below...)
	return cmd
}

// ShowHelp is what a command does that only has subcommands.
func ShowHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// SkipsPreRun is the PersistentPreRunE of a command that configures its flags itself, to
// report all problems at once.
func SkipsPreRun(*cobra.Command, []string) error { return nil }

// OneOf fails if two flags are given that exclude each other.
func OneOf(cmd *cobra.Command, a, b string) error {
	if cmd.Flags().Changed(a) && cmd.Flags().Changed(b) {
		return fmt.Errorf("--%s and --%s: want one of them, not both", a, b)
	}
	return nil
}
