package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

func newToken() *cobra.Command {
	return group("token", "Manage tokens", newTokenList(), newTokenRevoke(), newPurge(tokenPurge()))
}

// tokenRecord is a token in JSON. Its text is not kept anywhere.
type tokenRecord struct {
	ID        string     `json:"id"`
	UserID    int64      `json:"user_id"`
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
			return withAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
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
				err := e.EachToken(ctx, f, func(token core.Token) error {
					if live && token.Expired(now) {
						return nil
					}
					state := "live"
					if token.Expired(now) {
						state = "expired"
					}
					id := core.TokenID(token.Digest)
					return t.Row(tokenRecord{
						ID: id, UserID: token.UserID, Profile: token.Issuer, Realm: token.Realm, CreatedAt: token.CreatedAt,
						ExpiresAt: term.JSONTime(token.ExpiresAt), Expired: token.Expired(now), Sealed: len(token.Sealed) > 0,
					}, "%s\t%d\t%s\t%s\t%s\t%s\t%s", id, token.UserID, token.Issuer, token.Realm, term.FormatTime(token.CreatedAt), term.FormatTime(token.ExpiresAt), state)
				})
				return errors.Join(err, t.End())
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&user, "user", "", "tokens of this user alone")
	cmd.Flags().BoolVar(&live, "live", false, "live tokens alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newTokenRevoke() *cobra.Command {
	var flags config.Engine
	var user string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "revoke ID… | --user NAME",
		Short: "End tokens, by the ids that token list shows, or all of a user",
		Example: `  authcompat token revoke 3f4b8a86158ba824
  authcompat token revoke --user alice`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (user == "") == (len(args) == 0) {
				return errors.New("which tokens? Give their ids, or --user NAME")
			}
			return withAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				n := 0
				if user != "" {
					u, err := e.FindUser(ctx, user)
					if err != nil {
						return err
					}
					if n, err = e.RevokeAll(ctx, u); err != nil {
						return err
					}
				}
				found, err := e.FindTokens(ctx, args)
				if err != nil {
					return err
				}
				for _, t := range found {
					if err := e.RevokeToken(ctx, t.User, t.Token); err != nil {
						return fmt.Errorf("token %s: %w; %d tokens before it are revoked", core.TokenID(t.Token.Digest), err, n)
					}
					n++
				}
				return term.Report(cmd.OutOrStdout(), asJSON, map[string]int{"revoked": n}, "revoked %d tokens", n)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&user, "user", "", "all tokens of this user")
	config.WithoutVariables(cmd.Flags(), "user")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}
