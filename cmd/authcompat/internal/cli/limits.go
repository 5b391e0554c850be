package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

func newLimits() *cobra.Command {
	return command.Group("limits", "Limits on failed logins and registrations", newLimitsClear())
}

func newLimitsClear() *cobra.Command {
	var flags config.Engine
	var username, address, file string
	cmd := &cobra.Command{
		Use:   "clear {--user NAME | --address ADDRESS}",
		Short: "Let in a user, or an address, that failed logins have locked out",
		Long: `Forget the failed logins with a username, or those from an address and the registrations from it. An IPv6
address stands for its /64, as in the limits. Running servers see it at once.`,
		Example: `  authcompat limits clear --user ann
  authcompat limits clear --address 192.0.2.7`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if username == "" && address == "" {
				return errors.New("which failed logins? Give --user NAME, or --address ADDRESS")
			}
			var from netip.Addr
			if address != "" {
				var err error
				if from, err = netip.ParseAddr(address); err != nil {
					return fmt.Errorf("--address %q: want an IP address such as 192.0.2.7", address)
				}
			}
			return command.WithAudit(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				if e.Backend.RateLimiter == nil {
					return errors.New("this store has no limits")
				}
				if username != "" {
					if err := command.WithPseudonyms(ctx, cmd, e, username, keyring.Location{File: file, DSN: flags.Store}); err != nil {
						return err
					}
				}
				n, err := e.ClearLimits(ctx, e.Backend.RateLimiter, username, from)
				if err != nil {
					return err
				}
				if n == 0 {
					return term.Printf(cmd.OutOrStdout(), "nothing had been counted\n")
				}
				return term.Printf(cmd.OutOrStdout(), "cleared: it is counted from zero again\n")
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&username, "user", "", "username, whether it exists or not")
	cmd.Flags().StringVar(&address, "address", "", "IP address of clients")
	cmd.Flags().StringVar(&file, "secret-key-file", "", "the key file, where it is not the one beside an SQLite database")
	config.WithoutVariables(cmd.Flags(), "user", "address")
	return cmd
}
