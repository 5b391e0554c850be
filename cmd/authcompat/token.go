package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

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
	var flags engineFlags
	var user string
	var live, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tokens, by ids that tell nothing about their text",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return administer(cmd, &flags, func(ctx context.Context, e *engine) error {
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
			return administer(cmd, &flags, func(ctx context.Context, e *engine) error {
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
				found, err := e.findTokens(ctx, args)
				if err != nil {
					return err
				}
				for _, t := range found {
					if err := e.RevokeToken(ctx, t.user, t.token); err != nil {
						return fmt.Errorf("token %s: %w; %d tokens before it are revoked", core.TokenID(t.token.Digest), err, n)
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

// owned is a token and whose it is.
type owned struct {
	token core.Token
	user  core.User
}

// findTokens finds the tokens with the ids, each once: a command that names one
// which is not there does nothing.
func (e *engine) findTokens(ctx context.Context, ids []string) (all []owned, err error) {
	var problems []error
	for _, id := range ids {
		t, err := e.findToken(ctx, id)
		switch {
		case err != nil:
			problems = append(problems, err)
		case !slices.ContainsFunc(all, func(o owned) bool { return string(o.token.Digest) == string(t.token.Digest) }):
			all = append(all, t)
		}
	}
	if len(problems) > 0 && len(ids) > 1 {
		problems = append(problems, errors.New("no token is revoked"))
	}
	return all, errors.Join(problems...)
}

// findToken finds the token with an id.
func (e *engine) findToken(ctx context.Context, id string) (owned, error) {
	prefix, err := hex.DecodeString(id)
	if err != nil || len(prefix) < 4 {
		return owned{}, fmt.Errorf("%q is no id of a token: want at least 8 hex digits, as token list shows them", id)
	}
	found, err := e.admin.Tokens(ctx, core.TokenFilter{Prefix: prefix}, 2)
	switch {
	case err != nil:
		return owned{}, err
	case len(found) == 0:
		return owned{}, fmt.Errorf("there is no token %s", id)
	case len(found) > 1:
		return owned{}, fmt.Errorf("%s is the beginning of several tokens: give more digits", id)
	}
	users, err := e.admin.Users(ctx, core.UserFilter{After: found[0].UserID - 1}, 1)
	if err != nil {
		return owned{}, err
	}
	if len(users) == 0 {
		return owned{}, fmt.Errorf("there is no token %s", id)
	}
	return owned{found[0], users[0]}, nil
}
