package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

// withUser opens the store for a command that changes a user, and calls do.
func withUser(cmd *cobra.Command, f *config.Engine, name string, do func(ctx context.Context, e *engine.Engine, u core.User) error) error {
	return withAdmin(cmd, f, func(ctx context.Context, e *engine.Engine) error {
		u, err := e.FindUser(ctx, name)
		if err != nil {
			return err
		}
		return do(ctx, e, u)
	})
}

func newUserActive(use, short string, active bool) *cobra.Command {
	var flags config.Engine
	var asJSON bool
	cmd := &cobra.Command{
		Use:   use + " NAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withUser(cmd, &flags, args[0], func(ctx context.Context, e *engine.Engine, u core.User) error {
				if err := e.SetActive(ctx, e.Backend.Admin, u, active); err != nil {
					return err
				}
				u.Active = active
				return term.Report(cmd.OutOrStdout(), asJSON, recordOf(u), "%sd user %s (id %d)", use, u.Username, u.ID)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

func newUserSetPassword() *cobra.Command {
	var flags config.Engine
	var fromInput, none, logout, asJSON bool
	cmd := &cobra.Command{
		Use:   "set-password NAME",
		Short: "Set the password of a user",
		Long: `Give a user another password. It is asked for on the terminal, or read from the first line of standard
input with --password-stdin. Tokens stay as they are, as in Django; --logout ends them.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(cmd, "password-stdin", "no-password"); err != nil {
				return err
			}
			return withUser(cmd, &flags, args[0], func(ctx context.Context, e *engine.Engine, u core.User) error {
				var plain string
				if !none {
					var err error
					if plain, err = askPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), fromInput); err != nil {
						return err
					}
				}
				if err := e.SetPassword(ctx, u, plain, none); err != nil {
					return err
				}
				if logout {
					if _, err := e.RevokeAll(ctx, u); err != nil {
						return err
					}
				}
				return term.Report(cmd.OutOrStdout(), asJSON, recordOf(u), "changed the password of user %s (id %d)", u.Username, u.ID)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&fromInput, "password-stdin", false, "read the password from the first line of standard input")
	cmd.Flags().BoolVar(&none, "no-password", false, "no password works for the user from now on")
	cmd.Flags().BoolVar(&logout, "logout", false, "end all tokens of the user")
	config.WithoutVariables(cmd.Flags(), "no-password", "logout")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

func newUserDelete() *cobra.Command {
	var flags config.Engine
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a user and all their tokens; the audit record stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withUser(cmd, &flags, args[0], func(ctx context.Context, e *engine.Engine, u core.User) error {
				if err := e.DeleteUser(ctx, e.Backend.Admin, u); err != nil {
					return err
				}
				return term.Report(cmd.OutOrStdout(), asJSON, recordOf(u), "deleted user %s (id %d)", u.Username, u.ID)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}
