// Package cli has the commands of authcompat: their flags, and what they print.
package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/conformancecmd"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/djangocmd"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/frontcmd"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/profilecmd"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/version"
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
what is to be changed or looked at (--user, --since, --target), describe what is made (--email), or confirm a
change (--force) are given on the command line alone. NO_COLOR=1 turns colors off.

Exit codes, of every command but shadow gate, whose help has its own:
  0  it is done, and all is good; a server ended as it was told to
  1  a verdict on what was looked at: a file has problems (profile check, config check, conformance check), a
     server answers otherwise than documented (conformance run), rows were refused (import, export)
  2  wrong arguments or settings, or the command could not do its work: no verdict

With --json, an error is one JSON object on standard error, its last line: {"error": …, "exit_code": …}.`,
		Example: `  authcompat serve --profile snippit
  authcompat user create alice --email alice@example.com
  authcompat conformance run --profile all`,
		Version:       version.Get().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			command.WarnUnknown(cmd.ErrOrStderr(), command.UnknownVariables(cmd))
			return config.Configure(cmd.Context(), cmd.Flags())
		},
		Args: cobra.NoArgs,
		RunE: command.ShowHelp,
	}
	root.SetVersionTemplate("authcompat {{.Version}}\n") // as the command version
	root.SetFlagErrorFunc(explainFlag)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.AddCommand(newServe(), newUser(), newToken(), newLimits(), newAudit(), frontcmd.NewCallers(), newSecret(), newConfig(), frontcmd.NewFront(), frontcmd.NewCutover(), frontcmd.NewShadow(), profilecmd.NewProfile(), profilecmd.NewSchema(), conformancecmd.NewConformance(), conformancecmd.NewExplore(), djangocmd.NewInspect(), djangocmd.NewImport(), djangocmd.NewExport(), newBackup(), newRestore(), newReady(), newVersion())
	explainArguments(root)
	explainHelp(root)
	fitHelp(root)
	completeValues(root)
	return root
}
