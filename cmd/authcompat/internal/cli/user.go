package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

func newUser() *cobra.Command {
	return group("user", "Manage users", newUserCreate(), newUserList(), newUserShow(),
		newUserActive("disable", "Refuse logins and tokens of a user; tokens are good again when the user is enabled", false),
		newUserActive("enable", "Let a user log in and use tokens again", true),
		newUserSetPassword(), newUserDelete())
}

// userRecord is a user in JSON.
type userRecord struct {
	ID         int64             `json:"id"`
	Username   string            `json:"username"`
	Email      string            `json:"email"`
	Active     bool              `json:"active"`
	CreatedAt  time.Time         `json:"created_at"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Password   string            `json:"password,omitempty"` // how it is hashed
	Tokens     *int              `json:"tokens,omitempty"`   // live ones
}

func recordOf(u core.User) userRecord {
	return userRecord{ID: u.ID, Username: u.Username, Email: u.Email, Active: u.Active, CreatedAt: u.CreatedAt, Attributes: u.Attributes}
}

func newUserList() *cobra.Command {
	var flags config.Engine
	var inactive, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				t := term.NewTable(cmd.OutOrStdout(), asJSON, "ID\tUSERNAME\tEMAIL\tACTIVE\tCREATED")
				err := e.EachUser(ctx, core.UserFilter{Inactive: inactive}, func(u core.User) error {
					return t.Row(recordOf(u), "%d\t%s\t%s\t%t\t%s", u.ID, u.Username, term.Dash(u.Email), u.Active, term.FormatTime(u.CreatedAt))
				})
				if err != nil {
					return err
				}
				return t.End()
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&inactive, "inactive", false, "inactive users alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newUserShow() *cobra.Command {
	var flags config.Engine
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a user, how the password is hashed, and how many tokens are live",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				r, err := describeUser(ctx, e, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return term.Report(cmd.OutOrStdout(), true, r, "")
				}
				t := term.NewTable(cmd.OutOrStdout(), false, fmt.Sprintf("id\t%d", r.ID))
				for _, line := range [][2]string{
					{"username", r.Username}, {"email", term.Dash(r.Email)}, {"active", fmt.Sprint(r.Active)},
					{"created", term.FormatTime(r.CreatedAt)}, {"password", r.Password}, {"live tokens", fmt.Sprint(*r.Tokens)},
				} {
					if err := t.Row(nil, "%s\t%s", line[0], line[1]); err != nil {
						return err
					}
				}
				for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
					if err := t.Row(nil, "%s\t%s", "attribute "+name, r.Attributes[name]); err != nil {
						return err
					}
				}
				return t.End()
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// describeUser gives all that is shown of a user.
func describeUser(ctx context.Context, e *engine.Engine, name string) (userRecord, error) {
	u, err := e.FindUser(ctx, name)
	if err != nil {
		return userRecord{}, err
	}
	r := recordOf(u)
	if r.Password, err = e.PasswordFormat(ctx, u.Username); err != nil {
		return userRecord{}, err
	}
	live := 0
	err = e.EachToken(ctx, core.TokenFilter{UserID: u.ID}, func(t core.Token) error {
		if !t.Expired(time.Now()) {
			live++
		}
		return nil
	})
	r.Tokens = &live
	return r, err
}
