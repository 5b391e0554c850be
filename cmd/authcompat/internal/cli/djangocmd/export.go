package djangocmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/report"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/authcompat/authcompat/store/newfile"
)

// NewExport returns the command export and what is below it.
func NewExport() *cobra.Command {
	return command.Group("export", "Export users, passwords and live tokens", newExportDjango())
}

type exportFlags struct {
	django      djangoFlags
	store       string
	realm       string
	report      string
	sourceName  string
	keyFile     string
	deleteUsers bool
}

func newExportDjango() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "django TARGET",
		Short: "Export users, passwords and live tokens to a Django user base",
		Long: `Write users, passwords and live tokens where Django, with Django REST framework's authtoken or
django-rest-knox, takes them as its own. TARGET is

  sqlite:PATH or PATH   a SQLite file of Django's
  postgres://…          a PostgreSQL database
  mysql://…             a MySQL or MariaDB database
  FILE.json             a new file, for "manage.py loaddata"

In a database only what changed here since the import, or the last export, is written; what changed there
in the meantime stays. Tokens that were ended here are removed there. Groups, permissions and all other
columns of users who are there already stay as they are; last_login is set where a login here was later.

Users who were deleted here since they were moved are listed, and with --delete-users deleted there, too, with
their tokens and what Django's own models have of them. A user who has changed there since stays, as does one to
whom rows of other tables refer.

A token goes into the table whose form it has: taken over from knox, or issued by a profile with
legacy_format for that knox; else, where its text is kept sealed (per_user: one, or legacy_format:
authtoken), into Django REST framework's. The others are reported.`,
		Example: `  authcompat export django /srv/old/db.sqlite3
  authcompat export django postgres://owner@db.example.com/old --store sqlite:users.db
  authcompat export django users.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.store, "store", store.Default, "database to hand over from")
	flags.StringVar(&f.realm, "realm", core.DefaultRealm, "realm of the tokens to hand over")
	flags.StringVar(&f.report, "report", "", report.Usage)
	flags.StringVar(&f.sourceName, "source-name", "", "name that the import went under, if the target has another address now")
	flags.StringVar(&f.keyFile, "secret-key-file", "", "file with the key that sealed tokens are opened with")
	flags.BoolVar(&f.deleteUsers, "delete-users", false, "delete users there who were deleted here")
	config.WithoutVariables(flags, "realm", "source-name", "delete-users")
	f.django.add(flags)
	return cmd
}

func (f *exportFlags) run(cmd *cobra.Command, target string) (err error) {
	ctx := cmd.Context()
	options := transfer.ExportOptions{Realm: f.realm, Clock: time.Now, Name: f.sourceName, DeleteUsers: f.deleteUsers, Progress: term.NewProgress(cmd.ErrOrStderr()).Show}
	if f.deleteUsers && isNewDump(target) {
		return errors.New("--delete-users: a dump has only who is here, and loaddata deletes nobody")
	}
	if err := engine.CheckExists(ctx, f.store); err != nil {
		return err
	}
	file, err := report.Open(f.report)
	if err != nil {
		return err
	}
	defer file.Discard()
	if options.Sealer, err = (keyring.Location{File: f.keyFile, DSN: f.store}).LoadOrWarn(ctx, command.WarnOn(cmd.ErrOrStderr())); err != nil {
		return err
	}
	s, err := store.Open(ctx, f.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	from := s.Transfer
	if from == nil {
		return fmt.Errorf("--store %s: this kind of store has nothing to hand over: it is Django's own", store.Describe(f.store))
	}
	var dump *newfile.File
	if isNewDump(target) {
		if dump, err = createDump(target); err != nil {
			return err
		}
		defer dump.Discard()
	}
	if err := recordOperation(ctx, s, core.ActionExport); err != nil {
		return err
	}
	var found *transfer.ExportReport
	if dump != nil {
		found, err = exportDump(cmd, from, dump, target, options)
	} else {
		found, err = f.exportTables(cmd, from, target, options)
	}
	if found == nil {
		return err
	}
	unreported := file.Write(found)
	if err != nil {
		return errors.Join(err, unreported)
	}
	if err := errors.Join(writeExport(cmd.OutOrStdout(), found), unreported); err != nil {
		return err
	}
	if dump != nil {
		term.Printf(cmd.OutOrStdout(), "load it where there are no users yet: they have the ids that they have here, and loaddata puts each in the place of whoever has that id there\n")
	}
	if found.Users.Refused+found.Tokens.Refused > 0 {
		return &command.ExitError{Code: command.Verdict}
	}
	return nil
}

// isNewDump tells whether the target is a file for loaddata.
func isNewDump(target string) bool {
	return filepath.Ext(target) == ".json" && !strings.Contains(target, "://")
}

// createDump begins a new file, readable to its owner alone. It gets its name when it is
// complete: half a dump is a dump too, to loaddata.
func createDump(path string) (*newfile.File, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, dumpError(path, newfile.ErrExists)
	}
	file, err := newfile.Create(path)
	return file, dumpError(path, err)
}

// exportDump writes a dump, which then has its name and is on disk.
func exportDump(cmd *cobra.Command, from transfer.Source, file *newfile.File, path string, o transfer.ExportOptions) (*transfer.ExportReport, error) {
	report, err := transfer.ExportDump(cmd.Context(), from, file, o)
	report.Target = path
	if err != nil {
		return report, err
	}
	return report, dumpError(path, file.Place(false))
}

// dumpError names the file in an error that is not nil.
func dumpError(path string, err error) error {
	switch {
	case errors.Is(err, newfile.ErrExists):
		return fmt.Errorf("%s: %w: a dump goes into a new file: name another, or remove it", path, err)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// exportTables writes into a database.
func (f *exportFlags) exportTables(cmd *cobra.Command, from transfer.Source, target string, o transfer.ExportOptions) (_ *transfer.ExportReport, err error) {
	m, zone, err := f.django.read(cmd.Context())
	if err != nil {
		return nil, err
	}
	to, err := tables.OpenTarget(cmd.Context(), target, m, zone)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return transfer.Export(cmd.Context(), from, to, o)
}

// writeExport says what was done.
func writeExport(w io.Writer, r *transfer.ExportReport) error {
	var out strings.Builder
	term.Printf(&out, "Exported to %s.\nusers: %s\ntokens: %s\n", r.Target, counted(r.Users), counted(r.Tokens))
	if r.Dropped > 0 {
		term.Printf(&out, "%s removed there\n", term.Count(r.Dropped, "token that was ended here was", "tokens that were ended here were"))
	}
	if r.Deleted > 0 {
		term.Printf(&out, "%s deleted there\n", term.Count(r.Deleted, "user who was deleted here was", "users who were deleted here were"))
	}
	if r.Left > 0 {
		term.Printf(&out, "%s still there (--delete-users deletes them, unless they have changed since)\n", term.Count(r.Left, "user who was deleted here is", "users who were deleted here are"))
	}
	if len(r.Problems) > 0 {
		term.Printf(&out, "rows to look at:\n")
		writeProblems(&out, r.Problems, r.NotListed)
	}
	if n := r.Users.Refused + r.Tokens.Refused; n > 0 {
		term.Printf(&out, "%s refused, and not handed over\n", term.Count(n, "row was", "rows were"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}
