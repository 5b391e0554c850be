package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/sqlite"
)

// backupRecord is a backup in JSON.
type backupRecord struct {
	File   string    `json:"file"`
	AsOf   time.Time `json:"as_of"`
	Users  int64     `json:"users"`
	Tokens int64     `json:"tokens"`
	Keys   string    `json:"sealing_keys"` // where they are, which the backup doesn't have
}

func newBackup() *cobra.Command {
	var flags config.Engine
	var keyFile string
	var force, asJSON bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy an SQLite database that servers are using",
		Long: `Write a consistent copy of the SQLite database to FILE, while servers go on. It holds everything that was
acknowledged before the command began. FILE gets its name when it is complete, checked and on disk.

The keys that seal tokens are not in it. Keep their file too, in another place: who has both can use the tokens.

PostgreSQL is backed up with pg_dump (docs/postgres.md), a Django database as it always was.`,
		Example: `  authcompat backup /backup/authcompat-2026-11-22.db
  authcompat backup /backup/authcompat.db --force --store sqlite:users.db`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, ok := store.SQLitePath(flags.Store); ok { // of others, Backup says how
				if err := engine.CheckExists(cmd.Context(), flags.Store); err != nil {
					return err
				}
			}
			location := keyring.Location{File: keyFile, DSN: flags.Store}
			if err := checkKeyFile(cmd, location); err != nil {
				return err
			}
			bar := term.NewProgress(cmd.ErrOrStderr())
			entry := core.NewOperation(core.ActionBackup, time.Now())
			s, err := store.Backup(cmd.Context(), flags.Store, args[0], sqlite.BackupOptions{
				Replace: force, Audit: entry,
				NotAudited: func(err error) {
					fmt.Fprintln(cmd.ErrOrStderr(), "the backup is not in the audit record:", term.PrintableLines(err.Error()))
				},
				Progress: func(done, of int) { bar.Show("pages", done, of) },
			})
			if errors.Is(err, sqlite.ErrBackupExists) {
				return fmt.Errorf("%w: --force replaces an earlier backup", err)
			}
			if err != nil {
				return err
			}
			keys := location.Holder()
			r := backupRecord{File: args[0], AsOf: entry.At, Users: s.Users, Tokens: s.Tokens, Keys: keys}
			if err := term.Report(cmd.OutOrStdout(), asJSON, r, "backed up %s to %s: %s and %s, as of %s",
				store.Describe(flags.Store), r.File, term.Count(r.Users, "user", "users"), term.Count(r.Tokens, "token", "tokens"), term.FormatTime(r.AsOf)); err != nil || asJSON || keys == "" {
				return err
			}
			return term.Printf(cmd.OutOrStdout(), "the sealing keys are not in it: keep those of %s too, in another place\n", keys)
		},
	}
	flags.AddStoreFlags(cmd.Flags())
	cmd.Flags().StringVar(&keyFile, "secret-key-file", "", "the key file, where it is not the one beside the database")
	cmd.Flags().BoolVar(&force, "force", false, "replace an earlier backup")
	config.WithoutVariables(cmd.Flags(), "force")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}
