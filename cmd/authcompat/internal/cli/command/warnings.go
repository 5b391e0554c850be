package command

import (
	"fmt"
	"io"
	"maps"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// UnknownVariables returns the variables in the environment that no command reads, without those that cmd refuses.
func UnknownVariables(cmd *cobra.Command) []config.UnknownVariable {
	known := append(readVariables(cmd.Root()), config.RefusedVariables(cmd.Flags())...)
	gone := config.FormerVariables()
	movedVariables(cmd.Root(), gone)
	for _, refused := range config.RefusedVariables(cmd.Flags()) {
		delete(gone, refused)
	}
	return config.UnknownVariables(known, flagsAlone(cmd.Root()), gone)
}

// movedVariables adds what became of the variables of a command, and of those below it, that are other commands now.
func movedVariables(cmd *cobra.Command, all map[string]string) {
	maps.Copy(all, config.MovedVariables(cmd.Flags()))
	for _, below := range cmd.Commands() {
		movedVariables(below, all)
	}
}

// flagsAlone returns the flags of a command, and of those below it, that have no variable.
func flagsAlone(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !config.HasVariable(f) {
			names = append(names, f.Name)
		}
	})
	for _, below := range cmd.Commands() {
		names = append(names, flagsAlone(below)...)
	}
	return names
}

// readVariables returns the variables of a command and of those below it.
func readVariables(cmd *cobra.Command) []string {
	names := config.ReadVariables(cmd.Flags())
	for _, below := range cmd.Commands() {
		names = append(names, readVariables(below)...)
	}
	return names
}

// WarnUnknown writes which variables no command reads.
func WarnUnknown(w io.Writer, unknown []config.UnknownVariable) {
	for _, u := range unknown {
		fmt.Fprintln(w, "authcompat: warning:", term.PrintableLines(u.String()))
	}
}

// WarnOn returns a function that writes a warning about the keys.
func WarnOn(w io.Writer) func(error) {
	return func(err error) { fmt.Fprintln(w, term.PrintableLines(err.Error())) }
}
