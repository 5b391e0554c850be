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
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

func newToken() *cobra.Command {
	return command.Group("token", "Manage tokens", newTokenList(), newTokenRevoke(), newPurge(tokenPurge()))
}

// tokenRecord is a token in JSON. Its text is not kept anywhere.
type tokenRecord struct {
	ID        string     `json:"id"`
	UserID    int64      `json:"user_id"`
	Username  string     `json:"username"` // empty: the user has been deleted meanwhile
	Profile   string     `json:"profile"`
	Realm     string     `json:"realm"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	Expired   bool       `json:"expired"`
	Sealed    bool       `json:"sealed"`
}

func newTokenList() *cobra.Command {
	var flags config.Engine
	var user string
	var live, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tokens, by ids that tell nothing about their text",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return command.WithAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				var f core.TokenFilter
				if user != "" {
					u, err := e.FindUser(ctx, user)
					if err != nil {
						return err
					}
					f.UserID = u.ID
				}
				t := term.NewTable(cmd.OutOrStdout(), asJSON, "ID\tUSER\tPROFILE\tREALM\tCREATED\tEXPIRES\tSTATE")
				now := time.Now()
				err := e.EachOwnedToken(ctx, f, func(owned engine.OwnedToken) error {
					token, name := owned.Token, owned.User.Username
					if live && token.Expired(now) {
						return nil
					}
					state := "live"
					if token.Expired(now) {
						state = "expired"
					}
					id := core.TokenID(token.Digest)
					return t.Row(tokenRecord{
						ID: id, UserID: token.UserID, Username: name, Profile: token.Issuer, Realm: token.Realm, CreatedAt: token.CreatedAt,
						ExpiresAt: term.JSONTime(token.ExpiresAt), Expired: token.Expired(now), Sealed: len(token.Sealed) > 0,
					}, "%s\t%s\t%s\t%s\t%s\t%s\t%s", id, term.Dash(name), token.Issuer, token.Realm, term.FormatTime(token.CreatedAt), term.FormatTime(token.ExpiresAt), state)
				})
				return errors.Join(err, t.End())
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&user, "user", "", "tokens of this user alone")
	config.WithoutVariables(cmd.Flags(), "user")
	cmd.Flags().BoolVar(&live, "live", false, "live tokens alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// revocation says which tokens are to be ended.
type revocation struct {
	ids    []string
	user   string
	all    bool
	before string
}

func newTokenRevoke() *cobra.Command {
	var flags config.Engine
	var r revocation
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "revoke ID… | --user NAME | --all [--before TIME]",
		Short: "End tokens: by the ids that token list shows, all of a user, or all",
		Long: `End tokens. Servers refuse them from the next request on.

With --all, the tokens of all users end, in every realm, in small batches: requests are answered meanwhile. Who logs
in with a password while it runs may keep the new token; who has only a token keeps none. --before leaves the tokens that
were issued at that time or later, also those that somebody got by an older one: without it where tokens were stolen.`,
		Example: `  authcompat token revoke 3f4b8a86158ba824
  authcompat token revoke --user alice
  authcompat token revoke --all --before 2026-11-22T06:00:00Z`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.ids = args
			before, err := r.check(cmd)
			if err != nil {
				return err
			}
			return command.WithAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				n, err := r.run(ctx, e, before)
				if err != nil {
					return err
				}
				return term.Report(cmd.OutOrStdout(), asJSON, map[string]int{"revoked": n}, "revoked %s", term.Count(n, "token", "tokens"))
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&r.user, "user", "", "all tokens of this user")
	cmd.Flags().BoolVar(&r.all, "all", false, "all tokens of all users")
	cmd.Flags().StringVar(&r.before, "before", "", "with --all: only those issued before this time, as 2026-11-22T06:00:00Z or 2026-11-22 (UTC)")
	config.WithoutVariables(cmd.Flags(), "user", "all", "before")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// check returns the time of --before; zero if there is none.
func (r revocation) check(cmd *cobra.Command) (before time.Time, err error) {
	ways := 0
	for _, chosen := range []bool{len(r.ids) > 0, r.user != "", r.all} {
		if chosen {
			ways++
		}
	}
	if ways != 1 {
		return before, errors.New("which tokens? Give their ids, or --user NAME, or --all")
	}
	if !cmd.Flags().Changed("before") {
		return before, nil
	}
	if !r.all {
		return before, errors.New("--before goes with --all")
	}
	if before, err = flagvalue.ParseTime(r.before); err != nil {
		return before, fmt.Errorf("--before %w", err)
	}
	return before, nil
}

// run ends the tokens and returns how many.
func (r revocation) run(ctx context.Context, e *engine.Engine, before time.Time) (n int, err error) {
	switch {
	case r.all:
		n, err := e.RevokeEverything(ctx, before)
		if err != nil {
			return n, fmt.Errorf("%w; %s revoked, run it again for the others", err, term.Count(n, "token is", "tokens are"))
		}
		return n, nil
	case r.user != "":
		u, err := e.FindUser(ctx, r.user)
		if err != nil {
			return 0, err
		}
		return e.RevokeAll(ctx, u)
	}
	found, err := e.FindTokens(ctx, r.ids)
	if err != nil {
		if _, unknown := e.User(ctx, r.ids[0]); unknown == nil && len(r.ids) == 1 {
			err = fmt.Errorf("%w; all tokens of a user: --user %s", err, r.ids[0])
		}
		return 0, err
	}
	for _, t := range found {
		if err := e.RevokeToken(ctx, t.User, t.Token); err != nil {
			return n, fmt.Errorf("token %s: %w; %s revoked", core.TokenID(t.Token.Digest), err, term.Count(n, "token before it is", "tokens before it are"))
		}
		n++
	}
	return n, nil
}
