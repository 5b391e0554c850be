package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

// purge is a command that deletes old rows, as a server does by itself.
type purge struct {
	one     string             // of what is deleted
	what    string             // in the plural
	flag    string             // says how long it is kept
	keep    flagvalue.Duration // what holds without the flag; 0: it has to be given
	short   string
	long    string
	example string
	least   flagvalue.Duration // what is shorter has to be confirmed
	action  core.Action
	open    func(*cobra.Command, *config.Engine, func(context.Context, *engine.Engine) error) error
	remove  func(ctx context.Context, e *engine.Engine, before time.Time) (int, error)
}

func tokenPurge() purge {
	return purge{
		one: "token", what: "tokens", flag: "expired-token-retention", keep: config.DefaultExpiredTokenRetention, action: core.ActionPurgeTokens, open: command.WithAdmin,
		short: "Remove tokens that expired long ago, in small batches; a server does so by itself",
		long: `Remove the rows of tokens that expired longer ago than --expired-token-retention. As long as the row is there, an API
that tells expired tokens from unknown ones does so. Requests are answered meanwhile.`,
		example: "  authcompat token purge --expired-token-retention 30d",
		remove: func(ctx context.Context, e *engine.Engine, before time.Time) (int, error) {
			return e.PurgeTokens(ctx, before, nil)
		},
	}
}

func auditPurge() purge {
	return purge{
		one: "entry", what: "entries", flag: "audit-retention", least: flagvalue.Duration(24 * time.Hour), action: core.ActionPurgeAudit, open: command.WithAudit,
		short: "Remove the oldest part of the record, in small batches; a server with --audit-retention does so by itself",
		long: `Remove the entries that are older than --audit-retention. That it was done is an entry of its own. Requests are
answered meanwhile. For a copy of all: authcompat audit --limit 0 --json. Less than a day (12m are minutes) takes
--force, since that leaves hardly anything.`,
		example: "  authcompat audit purge --audit-retention 400d",
		remove: func(ctx context.Context, e *engine.Engine, before time.Time) (int, error) {
			return e.PurgeAudit(ctx, before)
		},
	}
}

func newPurge(p purge) *cobra.Command {
	var flags config.Engine
	var asJSON, force bool
	keep := p.keep
	cmd := &cobra.Command{
		Use: "purge", Short: p.short, Long: p.long, Example: p.example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if variable := config.Variable(p.flag); os.Getenv(variable) != "" && !cmd.Flags().Changed(p.flag) {
				// A longer time was meant, perhaps, than holds without it.
				return fmt.Errorf("%s is a server's: give --%s here", variable, p.flag)
			}
			if p.keep == 0 && keep == 0 {
				return fmt.Errorf("how long are %s kept? Give --%s, for instance 400d", p.what, p.flag)
			}
			if keep < p.least && !force {
				return fmt.Errorf("--%s %v would remove nearly all %s: give days, for instance 400d, or --force too if that is meant (m are minutes)", p.flag, time.Duration(keep), p.what)
			}
			return p.open(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				now, err := e.Now(ctx)
				if err != nil {
					return err
				}
				n, err := p.remove(ctx, e, now.Add(-time.Duration(keep)))
				if n > 0 {
					err = errors.Join(err, e.RecordOperation(ctx, p.action))
				}
				if err != nil {
					return err
				}
				return term.Report(cmd.OutOrStdout(), asJSON, map[string]int{"purged": n}, "purged %s", term.Count(n, p.one, p.what))
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().Var(&keep, p.flag, "how long "+p.what+" are kept")
	config.WithoutVariables(cmd.Flags(), p.flag) // of a server it is a setting, and here what is deleted
	if p.least > 0 {
		cmd.Flags().BoolVar(&force, "force", false, "remove nearly all "+p.what+" if --"+p.flag+" says so")
		config.WithoutVariables(cmd.Flags(), "force")
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}
