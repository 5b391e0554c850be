package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

// auditRecord is an entry in JSON.
type auditRecord struct {
	ID                int64       `json:"id"`
	At                time.Time   `json:"at"`
	Action            core.Action `json:"act"`
	Outcome           string      `json:"outcome"`
	UserID            int64       `json:"user_id,omitempty"`
	Username          string      `json:"username,omitempty"`
	UsernamePseudonym string      `json:"unknown,omitempty"`
	Profile           string      `json:"profile,omitempty"`
	Actor             string      `json:"actor,omitempty"`
	Address           string      `json:"address,omitempty"`
	Request           string      `json:"request,omitempty"`
	Token             string      `json:"token,omitempty"`
	Detail            string      `json:"detail,omitempty"`
}

func newAudit() *cobra.Command {
	var flags config.Engine
	var user, file string
	action := flagvalue.NewOptionalEnum(core.Actions())
	var failed, asJSON bool
	var since flagvalue.Since
	var limit int
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "List what was done to users and tokens, and what a cutover switched, the newest first",
		Long: `List the audit record: registrations, logins, logouts, changes of passwords and what operators did, with
what a cutover switched in DETAIL. Nothing
in it is ever changed, and only its oldest part can be removed. A name that nobody has is not kept, because
people type passwords there: it is shown as unknown:DIGEST, and --user NAME finds it, with the sealing keys
of the servers. Digests of servers without a sealing key can't be found.`,
		Example: `  authcompat audit --user alice --since 24h
  authcompat audit --action login --failed --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return fmt.Errorf("--limit %d: want 1 or more, or 0 for all", limit)
			}
			return command.WithAudit(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				f := core.AuditFilter{Username: user, Action: core.Action(action.Value), Failed: failed, Since: since.Time(time.Now())}
				if user != "" {
					if err := command.WithPseudonyms(ctx, cmd, e, user, keyring.Location{File: file, DSN: flags.Store}); err != nil {
						return err
					}
					f.UsernamePseudonyms = e.Pseudonyms(user)
				}
				t := term.NewTable(cmd.OutOrStdout(), asJSON, "TIME\tACT\tOUTCOME\tUSER\tPROFILE\tBY\tADDRESS\tTOKEN\tREQUEST\tDETAIL")
				err := e.EachEntry(ctx, f, limit, func(a core.AuditEntry) error {
					r := auditRecord(a)
					who := a.Username
					if a.UsernamePseudonym != "" {
						who = "unknown:" + a.UsernamePseudonym
					}
					return t.Row(r, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", term.FormatTime(a.At), a.Action, a.Outcome, term.Dash(who),
						term.Dash(a.Profile), term.Dash(a.Actor), term.Dash(a.Address), term.Dash(a.Token), term.Dash(a.Request), term.Dash(a.Detail))
				})
				return errors.Join(err, t.End())
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&user, "user", "", "entries about this username (matches unknown names too)")
	cmd.Flags().StringVar(&file, "secret-key-file", "", "the key file, where it is not the one beside an SQLite database")
	cmd.Flags().Var(&action, "action", "entries of one action: "+action.List())
	cmd.Flags().BoolVar(&failed, "failed", false, "only what failed")
	cmd.Flags().Var(&since, "since", "only entries of the last hours or days, as 24h or 7d, or from a time on, as 2026-11-22T06:00:00Z or 2026-11-22; 0: all")
	config.WithoutVariables(cmd.Flags(), "user", "since")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many entries at most; 0: all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	cmd.AddCommand(newPurge(auditPurge()))
	return cmd
}
