//go:build !no_ui

package conformancecmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/explore"
)

// NewExplore returns the command that serves APIs to be seen and tried.
func NewExplore() *cobra.Command {
	f := selection{serves: true}
	var (
		o      explore.Options
		common config.CommonPasswords
	)
	cmd := &cobra.Command{
		Use:   "explore",
		Short: "See and try old APIs on a page of this machine",
		Long: `Serve old APIs on this machine, each on a store that is thrown away when the command ends, and a console
for them: a page with each API in its document's own words, on which requests are sent and their bytes
seen, the documented exchanges are replayed, and the clock is moved until tokens end. Open the address that
is printed: the key in it is made anew at each start.

Without --profile all built-in APIs are served. --target names a server elsewhere that speaks one of them,
and that requests can be sent to as well: what is sent there is really done there.`,
		Example: `  authcompat explore
  authcompat explore --profile snippit --profile ./mine.yaml
  authcompat explore --profile ocd-users --target https://old.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := explore.CheckListen(o.Listen); err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			for _, name := range o.Hosts {
				if problem := config.ConsoleHostProblem(name); problem != "" {
					return fmt.Errorf("--%s %q: %s", config.ConsoleHostFlag, name, problem)
				}
			}
			if len(f.profiles) == 0 && len(f.exchanges) == 0 {
				f.profiles = []string{allProfiles}
			}
			chosen, err := f.choose(cmd.Context())
			if err != nil {
				return err
			}
			for _, s := range chosen {
				o.APIs = append(o.APIs, explore.API{Profile: s.profile, Exchanges: s.file})
			}
			if o.Targets, err = f.parseTargets(chosen); err != nil {
				return err
			}
			if err := common.Read(); err != nil {
				return fmt.Errorf("--%s: %w", config.CommonPasswordsFlag, err)
			}
			o.Dialect = common.Options()
			return explore.Run(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.profiles, "profile", nil, "API to serve: a built-in name, a file, or all (repeatable; default: all, or those of --exchanges)")
	flags.StringArrayVar(&f.exchanges, "exchanges", nil, "exchange file of your own, instead of the one that is built in for its profile (repeatable, one a profile)")
	flags.StringSliceVar(&f.targets, "target", nil, "[NAME=]URL of a running server that speaks one of the profiles (repeatable, one a profile)")
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:0", "address of the console, of this machine alone; with port 0 at a free one")
	config.WithoutVariables(flags, "target") // requests change users there
	config.AddConsoleHosts(flags, &o.Hosts)
	common.AddFlags(flags)
	return cmd
}
