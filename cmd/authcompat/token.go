package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/core"
)

func newToken() *cobra.Command {
	return group("token", "Manage tokens", newTokenList(), newTokenRevoke(), newTokenPurge())
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
	var flags engineFlags
	var user string
	var live, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tokens, by ids that tell nothing about their text",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.administer(cmd, func(ctx context.Context, e *engine) error {
				var f core.TokenFilter
				if user != "" {
					u, err := e.user(ctx, user)
					if err != nil {
						return err
					}
					f.UserID = u.ID
				}
				t := newTable(cmd.OutOrStdout(), asJSON, "ID\tUSER\tPROFILE\tREALM\tCREATED\tEXPIRES\tSTATE")
				now := time.Now()
				err := e.eachToken(ctx, f, func(token core.Token) error {
					if live && token.Expired(now) {
						return nil
					}
					state := "live"
					if token.Expired(now) {
						state = "expired"
					}
					id := core.TokenID(token.Digest)
					return t.row(tokenRecord{
						ID: id, UserID: token.UserID, Profile: token.Issuer, Realm: token.Realm, CreatedAt: token.CreatedAt,
						ExpiresAt: stamp(token.ExpiresAt), Expired: token.Expired(now), Sealed: len(token.Sealed) > 0,
					}, "%s\t%d\t%s\t%s\t%s\t%s\t%s", id, token.UserID, token.Issuer, token.Realm, when(token.CreatedAt), when(token.ExpiresAt), state)
				})
				return errors.Join(err, t.end())
			})
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&user, "user", "", "tokens of this user alone")
	cmd.Flags().BoolVar(&live, "live", false, "live tokens alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newTokenRevoke() *cobra.Command {
	var flags engineFlags
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
			return flags.administer(cmd, func(ctx context.Context, e *engine) error {
				n := 0
				if user != "" {
					u, err := e.user(ctx, user)
					if err != nil {
						return err
					}
					if n, err = e.revokeAll(ctx, u); err != nil {
						return err
					}
				}
				for _, id := range args {
					if err := e.revoke(ctx, id); err != nil {
						return err
					}
					n++
				}
				return report(cmd.OutOrStdout(), asJSON, map[string]int{"revoked": n}, "revoked %d tokens", n)
			})
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVar(&user, "user", "", "all tokens of this user")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// revoke ends the token with an id.
func (e *engine) revoke(ctx context.Context, id string) error {
	prefix, err := hex.DecodeString(id)
	if err != nil || len(prefix) < 4 {
		return fmt.Errorf("%q is no id of a token: want at least 8 hex digits, as token list shows them", id)
	}
	found, err := e.admin.Tokens(ctx, core.TokenFilter{Prefix: prefix}, 2)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fmt.Errorf("there is no token %s", id)
	case len(found) > 1:
		return fmt.Errorf("%s is the beginning of several tokens: give more digits", id)
	}
	users, err := e.admin.Users(ctx, core.UserFilter{After: found[0].UserID - 1}, 1)
	if err != nil {
		return err
	}
	if len(users) == 0 {
		return fmt.Errorf("there is no token %s", id)
	}
	return e.RevokeToken(ctx, users[0], found[0])
}

func newTokenPurge() *cobra.Command {
	var flags engineFlags
	var asJSON bool
	keep := period(90 * day)
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Remove tokens that expired long ago, in small batches; a server does so by itself",
		Long: `Remove the rows of tokens that expired longer ago than --keep-expired. As long as the row is there, an API
that tells expired tokens from unknown ones does so. Requests are answered meanwhile.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.administer(cmd, func(ctx context.Context, e *engine) error {
				n, err := e.purge(ctx, time.Now().Add(-time.Duration(keep)), nil)
				if err != nil {
					return err
				}
				return report(cmd.OutOrStdout(), asJSON, map[string]int{"purged": n}, "purged %d tokens", n)
			})
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().Var(&keep, "keep-expired", "how long expired tokens are kept")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// The batches of what is removed: small enough that a request which writes waits
// a few milliseconds for one, with pauses in which it gets its turn.
const (
	purgeBatch = 500
	purgePause = 20 * time.Millisecond
)

// inBatches runs remove until it has nothing left to remove.
func inBatches(ctx context.Context, remove func(limit int) (int, error)) (total int, err error) {
	for {
		n, err := remove(purgeBatch)
		total += n
		if err != nil || n < purgeBatch {
			return total, err
		}
		if !pause(ctx, purgePause) {
			return total, ctx.Err()
		}
	}
}

// purge removes the tokens that ended before a moment, those of the issuers or
// all.
func (e *engine) purge(ctx context.Context, before time.Time, issuers []string) (int, error) {
	return inBatches(ctx, func(limit int) (int, error) { return e.admin.PurgeTokens(ctx, before, issuers, limit) })
}
