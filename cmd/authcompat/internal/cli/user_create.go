package cli

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
)

func newUserCreate() *cobra.Command {
	var engine config.Engine
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
			if err := oneOf(cmd, "password-stdin", "no-password"); err != nil {
				return err
			}
			r.Username = args[0]
			if r.Attributes, err = parseAttributes(attributes); err != nil {
				return err
			}
			if !r.NoPassword {
				if r.Password, err = askPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), fromInput); err != nil {
					return err
				}
			}
			e, err := openEngine(cmd.Context(), &engine)
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
			case core.KindOf(err) == core.KindInvalidUser:
				return fmt.Errorf("not a username or address that can be stored: 1 to %d characters of text without NUL, an address of at most %d", core.MaxUsername, core.MaxEmail)
			}
			return err
		},
	}
	engine.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&r.Email, "email", "", "address")
	cmd.Flags().BoolVar(&r.Inactive, "inactive", false, "the user can't log in and tokens are refused")
	cmd.Flags().StringArrayVar(&attributes, "attribute", nil, "a fact that a profile shows of the user, KEY=VALUE (repeatable)")
	cmd.Flags().BoolVar(&fromInput, "password-stdin", false, "read the password from the first line of standard input")
	cmd.Flags().BoolVar(&r.NoPassword, "no-password", false, "no password works for the user")
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
