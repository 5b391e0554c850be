package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

func newSecret() *cobra.Command {
	return command.Group("secret", "Manage the keys that seal tokens which are shown again", newSecretRotate(), newSecretReseal(), newSecretPrune(), newSecretShow())
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
			return command.WithAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				sealer, err := keyring.Location{File: file, DSN: flags.Store}.LoadOrWarn(cmd.Context(), command.WarnOn(cmd.ErrOrStderr()))
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
	_, err := location.LoadOrWarn(cmd.Context(), command.WarnOn(cmd.ErrOrStderr()))
	if errors.Is(err, fs.ErrPermission) {
		return nil // it is there, and whose it is may read it
	}
	return err
}

func newSecretRotate() *cobra.Command {
	cmd := newRotation(&cobra.Command{
		Use:   "rotate",
		Short: "Make a new sealing key, and seal all tokens with it",
		Long: `Put a new key into the key file, before the old ones, and seal all tokens again with it. Tokens do not
change. Servers that use the file go on meanwhile, and load the new key within a minute, or at SIGHUP. If the
command is interrupted, authcompat secret reseal finishes its work without making another key.

Old keys stay in the file, so that backups of the database can be used; authcompat secret prune removes them.

The file keeps its owner, group and mode. Commands that change a key file wait for each other.`,
	}, &keyring.Rotation{NewKey: true})
	config.AddMoved(cmd.Flags(), "rotate --resume is called reseal now, and rotate --resume --drop-old is called prune", "resume", "drop-old", "force")
	config.WithoutVariables(cmd.Flags(), "force")
	return cmd
}

func newSecretReseal() *cobra.Command {
	return newRotation(&cobra.Command{
		Use:   "reseal",
		Short: "Seal all tokens with the newest key, as after an interrupted rotation",
		Long: `Seal with the newest key of the key file the tokens that are sealed with older ones. It makes no key, and
finishes what an interrupted authcompat secret rotate has left. Servers do the same in the background.`,
	}, &keyring.Rotation{})
}

func newSecretPrune() *cobra.Command {
	r := &keyring.Rotation{Drop: true}
	cmd := newRotation(&cobra.Command{
		Use:   "prune",
		Short: "Remove old sealing keys that no token is sealed with any more",
		Long: `Seal all tokens with the newest key of the key file, as authcompat secret reseal does, and remove the old keys
that no token is sealed with any more. They are kept in a file of the same name with .old, from which they can be
brought back for a backup of the database that needs them. Delete that file when there is no such backup, or
at once where a key has to be gone. Tokens of another database are not looked at: each needs a key file of its
own.

Do this when every server has the newest key: until then one may seal with an older key, and its tokens would
be lost. So it is refused for two minutes after a change of the file, unless --force says that no server
runs, or that all have had a SIGHUP and the logins that were under way then are answered.`,
	}, r)
	cmd.Flags().BoolVar(&r.Force, "force", false, "remove old keys at once: all servers have the newest one")
	config.WithoutVariables(cmd.Flags(), "force")
	return cmd
}

// newRotation completes a command that runs a rotation.
func newRotation(cmd *cobra.Command, r *keyring.Rotation) *cobra.Command {
	var flags config.Engine
	var file string
	var asJSON bool
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		location := keyring.Location{File: file, DSN: flags.Store}
		var err error
		if r.Path, err = location.WritableFile(); err != nil {
			return err
		}
		return command.WithAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
			err := r.Run(ctx, e.Service, e.Backend.Admin, waitingOn(cmd.ErrOrStderr()))
			if location.File == "" && errors.Is(err, fs.ErrNotExist) {
				return keyring.ExplainMissing(ctx, e.Backend.Admin, err)
			}
			if err != nil {
				return err
			}
			var missing int64
			for _, id := range slices.Sorted(maps.Keys(r.Missing)) {
				missing += r.Missing[id]
				fmt.Fprintf(cmd.ErrOrStderr(), "%s sealed with the key %s, which is not in %s: add it there, below the others, and reseal%s\n",
					term.Count(r.Missing[id], "token is", "tokens are"), id, term.Printable(r.Path), seeRemoved(r.Path))
			}
			record := map[string]any{"key": r.Key, "resealed": r.Resealed, "broken": r.Broken, "dropped": r.Dropped, "missing": missing}
			format := "key %s seals; %s sealed anew, %d did not open; %s removed"
			args := []any{r.Key, term.Count(r.Resealed, "token", "tokens"), r.Broken, term.Count(r.Dropped, "old key", "old keys")}
			if r.Kept != "" {
				record["kept_in"] = r.Kept
				format += "\nwhat is removed is kept in %s: delete that when no backup needs it any more"
				args = append(args, r.Kept)
			}
			return term.Report(cmd.OutOrStdout(), asJSON, record, format, args...)
		})
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&file, "secret-key-file", "", "the key file, where it is not the one beside an SQLite database")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// seeRemoved says where keys are that were removed from a key file, if there is one.
func seeRemoved(path string) string {
	if removed := keyring.RemovedFile(path); removed != "" {
		return "; those that were removed are in " + term.Printable(removed)
	}
	return ""
}

// waitingOn returns a function that writes that a command waits for another one.
func waitingOn(w io.Writer) func(path string) {
	return func(path string) {
		fmt.Fprintf(w, "waiting until another process has changed %s\n", term.Printable(path))
	}
}
