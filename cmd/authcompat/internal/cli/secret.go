package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

func newSecret() *cobra.Command {
	return group("secret", "Manage the keys that seal tokens which are shown again", newSecretRotate(), newSecretReseal(), newSecretPrune(), newSecretShow())
}

func newSecretShow() *cobra.Command {
	var flags config.Engine
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the ids of the sealing keys, and how many tokens each seals; never a key",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				sealer, err := keyring.Location{File: file, DSN: flags.Store}.LoadOrWarn(cmd.Context(), warnOn(cmd.ErrOrStderr()))
				if err != nil {
					return err
				}
				counts, err := e.Backend.Admin.SealKeys(ctx)
				if err != nil {
					return err
				}
				t := term.NewTable(cmd.OutOrStdout(), asJSON, "KEY\tTOKENS\tSTATE")
				state := "seals"
				for _, id := range sealer.KeyIDs() {
					if err := t.Row(map[string]any{"key": id, "tokens": counts[id], "state": state}, "%s\t%d\t%s", id, counts[id], state); err != nil {
						return err
					}
					delete(counts, id)
					state = "opens"
				}
				for id, n := range counts {
					if err := t.Row(map[string]any{"key": id, "tokens": n, "state": "missing"}, "%s\t%d\tmissing", id, n); err != nil {
						return err
					}
				}
				return t.End()
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&file, "secret-key-file", "", "the key file, where it is not the one beside an SQLite database")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// checkKeyFile checks the key file that a setting names for a command that can do without
// the keys: it warns of one that is missing, and fails for a file of another kind.
func checkKeyFile(cmd *cobra.Command, location keyring.Location) error {
	if location.File == "" {
		return nil
	}
	_, err := location.LoadOrWarn(cmd.Context(), warnOn(cmd.ErrOrStderr()))
	if errors.Is(err, fs.ErrPermission) {
		return nil // it is there, and whose it is may read it
	}
	return err
}

// warnOn returns a function that writes a warning about the keys.
func warnOn(w io.Writer) func(error) {
	return func(err error) { fmt.Fprintln(w, term.PrintableLines(err.Error())) }
}
