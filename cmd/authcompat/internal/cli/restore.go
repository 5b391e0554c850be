package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/sqlite"
)

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
it can't be read, nothing tells, and all tokens end; --keep-tokens then keeps them, those that were logged out
since too. Passwords, and who may log in, are again what they were at the time of the backup.

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
			if err != nil {
				return err
			}
			err = writeRestored(cmd.OutOrStdout(), asJSON, flags.Store, args[0], r)
			return errors.Join(err, warnOfKeys(cmd, location))
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
func warnOfKeys(cmd *cobra.Command, location keyring.Location) error {
	counts, err := sealKeys(cmd.Context(), location.DSN)
	if err != nil || len(counts) == 0 {
		return err
	}
	warn := warnOn(cmd.ErrOrStderr())
	if location.File != "" { // checkKeyFile has
		warn = func(error) {}
	}
	sealer, err := location.LoadOrWarn(cmd.Context(), warn)
	if err != nil {
		return err
	}
	for _, id := range sealer.KeyIDs() {
		delete(counts, id)
	}
	for id, n := range counts {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s sealed with the key %s, which is missing: put back the key file from the time of the backup\n", term.Count(n, "token is", "tokens are"), id)
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
