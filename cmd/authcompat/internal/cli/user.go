package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

func newUser() *cobra.Command {
	return command.Group("user", "Manage users", newUserCreate(), newUserList(), newUserShow(),
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
			return command.WithAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
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
	config.WithoutVariables(cmd.Flags(), "inactive") // of user create, it is another thing
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
			return command.WithAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
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

func newUserCreate() *cobra.Command {
	var flags config.Engine
	var r core.Registration
	var attributes []string
	var fromInput, asJSON bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a user, also while a server runs on the database",
		Long: `Create a user. The password is asked for on the terminal, or read from the first line of standard
input with --password-stdin. A server that runs on the same database sees the user at once.

The name is brought to Unicode's NFKC form and the domain of the address to lower case, as Django's
create_user does.`,
		Example: `  authcompat user create alice --email alice@example.com
  echo 'correct horse' | authcompat user create bob --password-stdin
  authcompat user create carol --attribute location=istanbul --attribute followers=3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := command.OneOf(cmd, "password-stdin", "no-password"); err != nil {
				return err
			}
			r.Username = args[0]
			if r.Attributes, err = parseAttributes(attributes); err != nil {
				return err
			}
			if !r.NoPassword {
				if err := engine.CheckDSN(cmd.Context(), flags.Store); err != nil { // before somebody has typed a password twice
					return err
				}
				if r.Password, err = askPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), fromInput); err != nil {
					return err
				}
			}
			e, err := command.OpenEngine(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			user, err := e.CreateUser(cmd.Context(), core.Policy{NormalizeUsername: true, NormalizeEmail: true}, r)
			switch {
			case err == nil:
				return term.Report(cmd.OutOrStdout(), asJSON, recordOf(user), "created user %s (id %d)", user.Username, user.ID)
			case core.KindOf(err) == core.KindUsernameTaken:
				return fmt.Errorf("user %q exists already", r.Username)
			case errors.Is(err, core.ErrInvalidUser): // by the store, which says why
				return fmt.Errorf("not a user that can be stored: %w", err)
			case core.KindOf(err) == core.KindInvalidUser:
				return fmt.Errorf("not a username or address that can be stored: 1 to %d characters of text without NUL, an address of at most %d", core.MaxUsername, core.MaxEmail)
			}
			return err
		},
	}
	flags.AddHashingFlags(cmd.Flags())
	cmd.Flags().StringVar(&r.Email, "email", "", "address")
	cmd.Flags().BoolVar(&r.Inactive, "inactive", false, "the user can't log in and tokens are refused")
	cmd.Flags().StringArrayVar(&attributes, "attribute", nil, "a fact that a profile shows of the user, KEY=VALUE (repeatable)")
	cmd.Flags().BoolVar(&fromInput, "password-stdin", false, "read the password from the first line of standard input")
	cmd.Flags().BoolVar(&r.NoPassword, "no-password", false, "no password works for the user")
	config.WithoutVariables(cmd.Flags(), "email", "inactive", "attribute", "no-password")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// parseAttributes reads KEY=VALUE pairs.
func parseAttributes(pairs []string) (map[string]string, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	attributes := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--attribute %q: want KEY=VALUE", pair)
		}
		if !utf8.ValidString(pair) {
			return nil, fmt.Errorf("--attribute %q: not valid UTF-8", pair)
		}
		attributes[key] = value
	}
	return attributes, nil
}

// withUser opens the store for a command that changes a user, and calls do.
func withUser(cmd *cobra.Command, f *config.Engine, name string, do func(ctx context.Context, e *engine.Engine, u core.User) error) error {
	return command.WithAdmin(cmd, f, func(ctx context.Context, e *engine.Engine) error {
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
			if err := command.OneOf(cmd, "password-stdin", "no-password"); err != nil {
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
				if logout {
					if err := e.SetPasswordAndEndTokens(ctx, u, plain, none); err != nil {
						return err
					}
				} else if err := e.SetPassword(ctx, u, plain, none); err != nil {
					return err
				}
				return term.Report(cmd.OutOrStdout(), asJSON, recordOf(u), "changed the password of user %s (id %d)", u.Username, u.ID)
			})
		},
	}
	flags.AddHashingFlags(cmd.Flags())
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
