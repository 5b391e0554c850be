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

func newSecretRotate() *cobra.Command {
	var flags config.Engine
	var file string
	var drop, force, asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Put a new sealing key before the old ones, and seal all tokens with it",
		Long: `Put a new key into the key file, before the old ones, and seal all tokens anew with it. Tokens do not
change. Servers on the file go on meanwhile, and take the new key within a minute, or at SIGHUP. Cut off, the
command is run again with --resume: it makes no other key, and goes on.

Old keys stay in the file, so that backups of the database can be used; --drop-old removes those that no
token is sealed with any more. Do so when every server has the new key: until then one may seal with an
older key, and its tokens would be lost. So it is refused for two minutes after a change of the file, unless
--force says that no server runs, or that all have had a SIGHUP.

The file keeps its owner, group and mode. One rotation of a file runs at a time; others wait for it.`,
		Example: `  authcompat secret rotate
  authcompat secret rotate --resume --drop-old`,
		Args: cobra.NoArgs,
	}
	var resume bool
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if drop && !resume {
			return errors.New("--drop-old goes with --resume, once all servers have the new key")
		}
		place := keyring.Location{File: file, DSN: flags.Store}
		path, err := place.WritableFile()
		if err != nil {
			return err
		}
		return withAdmin(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
			r := keyring.Rotation{Path: path, NewKey: !resume, Drop: drop, Force: force}
			err := r.Run(ctx, e.Service, e.Backend.Admin, waitingOn(cmd.ErrOrStderr()))
			if place.File == "" && errors.Is(err, fs.ErrNotExist) {
				return keyring.ExplainMissing(ctx, e.Backend.Admin, err)
			}
			if err != nil {
				return err
			}
			record := map[string]any{"key": r.Key, "resealed": r.Resealed, "broken": r.Broken, "dropped": r.Dropped}
			return term.Report(cmd.OutOrStdout(), asJSON, record, "key %s seals; %d tokens sealed anew, %d did not open; %d old keys removed", r.Key, r.Resealed, r.Broken, r.Dropped)
		})
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&file, "secret-key-file", "", "the key file, where it is not the one beside an SQLite database")
	cmd.Flags().BoolVar(&resume, "resume", false, "make no new key, but seal what is not sealed with the newest")
	cmd.Flags().BoolVar(&drop, "drop-old", false, "remove old keys that no token is sealed with")
	cmd.Flags().BoolVar(&force, "force", false, "drop old keys at once: all servers have the new one")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// waitingOn writes that a command waits for another one.
func waitingOn(w io.Writer) func(path string) {
	return func(path string) {
		fmt.Fprintf(w, "waiting until another process has changed %s\n", term.Printable(path))
	}
}
