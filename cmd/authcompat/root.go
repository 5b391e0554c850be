package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// newRoot makes the command tree.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "authcompat",
		Short: "Speak old token-auth APIs exactly, over one modern auth engine",
		Long: `authcompat serves an old token-auth API (chosen by a profile) exactly as its document says, so that
the old auth server can be retired while its clients, passwords and tokens go on.

Every flag can be given as an environment variable: --password-iterations is
AUTHCOMPAT_PASSWORD_ITERATIONS. A flag wins over its variable, and that over --config FILE.`,
		Example: `  authcompat serve --profile snippit
  authcompat user create alice --email alice@example.com
  authcompat conformance run --profile all`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			found := &problems{}
			configure(cmd.Flags(), found)
			return found.err()
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return explainDash(cmd, plainFlag(err)) })
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(newServe(), newUser(), newToken(), newAudit(), newSecret(), newConfig(), newProfile(), newConformance(), newInspect(), newImport(), newExport())
	return root
}

// explainDash tells how a name is given that was taken for a flag.
func explainDash(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || !strings.HasSuffix(cmd.Use, " NAME") {
		return err
	}
	return fmt.Errorf("%w (a name that begins with a dash goes after --: %s -- NAME)", err, cmd.CommandPath())
}

// configure sets the flags that were not given: from their variables, then from
// the configuration file.
func configure(flags *pflag.FlagSet, found *problems) {
	applyEnvironment(flags, found)
	if f := flags.Lookup(configFlag); f != nil && f.Value.String() != "" {
		applyConfig(flags, whence(f, 0), f.Value.String(), found)
	}
}

// settlesItself is the PersistentPreRunE of a command that configures its flags
// when it runs, to tell all that is wrong with them at once.
func settlesItself(*cobra.Command, []string) error { return nil }

// fromEnvironment marks a flag that was set from its variable.
const fromEnvironment = "environment"

// applyEnvironment sets each flag that was not given from its AUTHCOMPAT_
// variable. A flag that can be repeated takes a list with commas. No profile is
// named by nothing, so that an empty list of them is none.
func applyEnvironment(flags *pflag.FlagSet, found *problems) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		text, ok := os.LookupEnv(name)
		if !ok || f.Changed {
			return
		}
		values := []string{text}
		if _, several := f.Value.(*listenerList); several {
			values = slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
		}
		if len(values) == 0 {
			return
		}
		for _, value := range values {
			if err := flags.Set(f.Name, value); err != nil {
				found.add(name, "%v", plain(cmp.Or(errors.Unwrap(err), err)))
				found.refuse(f.Name)
			}
		}
		_ = flags.SetAnnotation(f.Name, fromEnvironment, []string{name}) // fails only for a flag that is not there
	})
}

// variable names the environment variable of a flag.
func variable(flag string) string {
	return "AUTHCOMPAT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// version tells which build this is.
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

// group is a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(below...)
	return cmd
}
