package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
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
acknowledged before the command began. FILE gets its name when it is complete, checked and on disk. --force replaces
an earlier backup of the same database, and no other file.

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
	cmd.Flags().BoolVar(&force, "force", false, "replace an earlier backup of the same database")
	config.WithoutVariables(cmd.Flags(), "force")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// keysWait limits how long a look at the keys of a restored database may take.
const keysWait = 10 * time.Second

// restoreRecord is a restore in JSON.
type restoreRecord struct {
	File       string     `json:"file"`
	AsOf       *time.Time `json:"as_of"` // of the backup; null: not known
	Users      int64      `json:"users"`
	Tokens     int64      `json:"tokens"`
	Ended      int64      `json:"ended_tokens"`
	Compared   bool       `json:"compared"` // with the database that was there
	Passwords  int64      `json:"reverted_passwords"`
	Returned   int64      `json:"returned_users"`
	Reenabled  int64      `json:"reenabled_users"`
	Registered int64      `json:"removed_users"`
	Kept       string     `json:"kept,omitempty"` // the database that was there
}

func newRestore() *cobra.Command {
	var flags config.Engine
	var keyFile string
	var keepTokens, asJSON bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of an SQLite database",
		Long: `Put FILE, which authcompat backup has made, in the place of the SQLite database, or where there is none. Servers
may run: they see the restored users and tokens at once. What was there is kept beside it, in
NAME.before-restore-TIME.

Tokens that have ended since the backup stay ended: the database that is there tells which. Where there is none, or
it can't be read, or it is another one (a new one that a server has made, say), nothing tells, and all tokens end;
--keep-tokens then keeps them, those that were logged out since too. Where the database tells that some have ended,
--keep-tokens is refused. Passwords, and who may log in, are again what they were at the time of the backup.

FILE is refused if it is no database of authcompat, is damaged, or is of a newer authcompat. Until the restored
database is complete, an interruption leaves the one that is there.`,
		Example: `  authcompat restore /backup/authcompat-2026-11-22.db
  authcompat restore /backup/authcompat-2026-11-22.db --store sqlite:elsewhere.db --keep-tokens`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			location := keyring.Location{File: keyFile, DSN: flags.Store}
			if err := checkKeyFile(cmd, location); err != nil {
				return err
			}
			bar := term.NewProgress(cmd.ErrOrStderr())
			r, err := store.Restore(cmd.Context(), flags.Store, args[0], sqlite.RestoreOptions{
				KeepTokens: keepTokens, Audit: core.NewOperation(core.ActionRestore, time.Now()),
				Progress: func(done, of int) { bar.Show("pages", done, of) },
			})
			var ended *sqlite.EndedError
			if errors.As(err, &ended) {
				return fmt.Errorf("%w; --keep-tokens is for where nothing tells: leave it out, or, to have all tokens of the backup live, those that were logged out too, stop the servers, move the database and its -wal and -shm elsewhere, and restore again; nothing was changed", err)
			}
			if err != nil {
				return err
			}
			err = writeRestored(cmd.OutOrStdout(), asJSON, flags.Store, args[0], r)
			// It is restored, so that an interruption must not be what is said last.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), keysWait)
			defer cancel()
			if unchecked := warnOfKeys(ctx, cmd, location); unchecked != nil {
				err = errors.Join(err, fmt.Errorf("it is restored, but whether its sealing keys are there is not known: %w", unchecked))
			}
			return err
		},
	}
	flags.AddStoreFlags(cmd.Flags())
	cmd.Flags().StringVar(&keyFile, "secret-key-file", "", "the key file, where it is not the one beside the database")
	cmd.Flags().BoolVar(&keepTokens, "keep-tokens", false, "keep tokens of which nothing tells whether they have ended since the backup")
	config.WithoutVariables(cmd.Flags(), "keep-tokens")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

// writeRestored says what was restored, and what is as it was before.
func writeRestored(w io.Writer, asJSON bool, dsn, file string, r sqlite.Restored) error {
	if asJSON {
		return term.Report(w, true, restoreRecord{
			File: file, AsOf: term.JSONTime(r.LastEntry), Users: r.Users, Tokens: r.Tokens, Ended: r.Ended, Compared: r.Unknown == nil,
			Passwords: r.Passwords, Returned: r.Returned, Reenabled: r.Reenabled, Registered: r.Registered, Kept: r.Kept,
		}, "")
	}
	var out strings.Builder
	term.Printf(&out, "restored %s from %s: %s and %s", store.Describe(dsn), file, term.Count(r.Users, "user", "users"), term.Count(r.Tokens, "token", "tokens"))
	if !r.LastEntry.IsZero() {
		term.Printf(&out, ", as of %s", term.FormatTime(r.LastEntry))
	}
	term.Printf(&out, "\n")
	switch {
	case r.Unknown == nil:
		term.Printf(&out, "%s\n", term.Count(r.Ended, "of its tokens has ended since, and stays ended", "of its tokens have ended since, and stay ended"))
	case r.Ended > 0:
		term.Printf(&out, "%s ended, because nothing tells which have ended since: %s\n", term.Count(r.Ended, "live token was", "live tokens were"), r.Unknown.Error())
	default:
		term.Printf(&out, "nothing tells which tokens have ended since: %s\n", r.Unknown.Error())
	}
	for _, change := range []struct {
		n         int64
		one, many string
	}{
		{r.Passwords, "user has the password again that they had then", "users have the password again that they had then"},
		{r.Returned, "user is there again who had been deleted since", "users are there again who had been deleted since"},
		{r.Reenabled, "user may log in again who had been disabled since", "users may log in again who had been disabled since"},
		{r.Registered, "user is gone, because they were registered since", "users are gone, because they were registered since"},
	} {
		if change.n > 0 {
			term.Printf(&out, "%s\n", term.Count(change.n, change.one, change.many))
		}
	}
	if r.Kept != "" {
		term.Printf(&out, "what was there is kept in %s\n", r.Kept)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// warnOfKeys warns if tokens of the database are sealed with keys that are not there.
func warnOfKeys(ctx context.Context, cmd *cobra.Command, location keyring.Location) error {
	counts, err := sealKeys(ctx, location.DSN)
	if err != nil || len(counts) == 0 {
		return err
	}
	warn := command.WarnOn(cmd.ErrOrStderr())
	if location.File != "" { // checkKeyFile has
		warn = func(error) {}
	}
	sealer, err := location.LoadOrWarn(ctx, warn)
	if err != nil {
		return err
	}
	for _, id := range sealer.KeyIDs() {
		delete(counts, id)
	}
	advice := "put back the key file from the time of the backup"
	if path, err := location.WritableFile(); err == nil && keyring.RemovedFile(path) != "" {
		advice = fmt.Sprintf("append the keys of %s, which were removed, to %s, or put back the key file from the time of the backup",
			term.Printable(keyring.RemovedFile(path)), term.Printable(path))
	}
	for id, n := range counts {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s sealed with the key %s, which is missing: %s\n", term.Count(n, "token is", "tokens are"), id, advice)
	}
	return nil
}

// sealKeys counts the sealed tokens of a database by the id of their key.
func sealKeys(ctx context.Context, dsn string) (counts map[string]int64, err error) {
	b, err := store.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return b.Admin.SealKeys(ctx)
}
