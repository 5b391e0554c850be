// Package cli has the commands of authcompat: their flags, and what they print.
package cli

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

// Streams are where a command reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer // what was asked for
	Err io.Writer // all else: errors, prompts and the log of a server
}

// newRoot makes the command tree.
func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "authcompat",
		Short: "Speak old token-auth APIs exactly, over one modern auth engine",
		Long: `authcompat serves an old token-auth API (chosen by a profile) exactly as its document says, so that
the old auth server can be retired while its clients, passwords and tokens go on.

Every setting can be given as an environment variable: --password-iterations is
AUTHCOMPAT_PASSWORD_ITERATIONS. A flag wins over its variable, and that over --config FILE. Flags that name
what is to be changed, or confirm a change (--force, token revoke --user), have no variable.`,
		Example: `  authcompat serve --profile snippit
  authcompat user create alice --email alice@example.com
  authcompat conformance run --profile all`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			warnUnknown(cmd.ErrOrStderr(), unknownVariables(cmd))
			return config.Configure(cmd.Context(), cmd.Flags())
		},
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	root.SetFlagErrorFunc(explainFlag)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.AddCommand(newServe(), newUser(), newToken(), newLimits(), newAudit(), newCallers(), newSecret(), newConfig(), newFront(), newCutover(), newProfile(), newConformance(), newInspect(), newImport(), newExport(), newBackup(), newRestore())
	explainArguments(root)
	return root
}

// skipsPreRun is the PersistentPreRunE of a command that configures its flags itself, to
// report all problems at once.
func skipsPreRun(*cobra.Command, []string) error { return nil }

// version returns the version of this build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	out := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			out += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return out + " " + info.GoVersion
}

// group returns a command that only has subcommands.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(below...)
	return cmd
}

// showHelp is what a command does that only has subcommands.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

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
