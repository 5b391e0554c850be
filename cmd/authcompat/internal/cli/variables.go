package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// unknownVariables returns the variables in the environment that no command reads.
func unknownVariables(cmd *cobra.Command) []config.UnknownVariable {
	return config.UnknownVariables(readVariables(cmd.Root()))
}

// readVariables returns the variables of a command and of those below it.
func readVariables(cmd *cobra.Command) []string {
	names := config.ReadVariables(cmd.Flags())
	for _, below := range cmd.Commands() {
		names = append(names, readVariables(below)...)
	}
	return names
}

// warnUnknown writes which variables no command reads.
func warnUnknown(w io.Writer, unknown []config.UnknownVariable) {
	for _, u := range unknown {
		fmt.Fprintln(w, "authcompat: warning:", term.PrintableLines(u.String()))
	}
}
