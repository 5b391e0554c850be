package djangocmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/keyring"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/report"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	"github.com/authcompat/authcompat/store"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// NewImport returns the command import and what is below it.
func NewImport() *cobra.Command {
	return command.Group("import", "Import users, passwords and live tokens", newImportDjango())
}

type importFlags struct {
	django     djangoFlags
	store      string
	profile    string
	dryRun     bool
	since      flagvalue.Since
	report     string
	sourceName string
	keyFile    string
	endTokens  bool
}

func newImportDjango() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "django SOURCE …",
		Short: "Import users, passwords and live tokens from a Django user base",
		Long: `Take over the users of a Django user base, with their ids and passwords, and their live tokens: nobody
logs in again. The source is only read, and may be in use. SOURCE is

` + djangoForms + `

Run it as often as you like: each run takes over what is new or changed at the source, and ends here the
tokens that were ended there. What was changed or logged out here in the meantime stays so. An import that
was cut off goes on where it was. A row that can't be taken over is reported and stops nothing; then the
exit code is 1.

--profile names the API that will serve the tokens: tokens of Django REST framework's, which have no end
of their own, end at created + its ttl, and are shown again at login where it has per_user: one. A run that
would end more than a tenth of the tokens that came before ends none and says so, unless --end-tokens is
given.`,
		Example: `  authcompat import django /srv/old/db.sqlite3 --profile snippit --dry-run
  authcompat import django postgres://reader@db.example.com/old --profile ocd-users --store sqlite:users.db
  authcompat import django users.json tokens.json --profile snippit --report report.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.store, "store", store.Default, "database that takes them over")
	flags.StringVar(&f.profile, "profile", "", "profile, a built-in name or a file, that will serve the tokens")
	flags.BoolVar(&f.dryRun, "dry-run", false, "tell what would be done and write nothing")
	flags.Var(&f.since, "since", "only users who joined or logged in, and tokens that were made, from a time on, as 2026-11-22T06:00:00Z or 2026-11-22, or in the last hours or days, as 24h or 7d; 0: all. Ends no tokens")
	flags.StringVar(&f.report, "report", "", report.Usage)
	flags.StringVar(&f.sourceName, "source-name", "", "name that earlier runs from another address or file went under")
	flags.StringVar(&f.keyFile, "secret-key-file", "", "file with the key that seals tokens which are shown again")
	flags.BoolVar(&f.endTokens, "end-tokens", false, "end all tokens that are not there any more at the source, however many they are")
	config.WithoutVariables(flags, "since", "source-name", "end-tokens")
	f.django.add(flags)
	return cmd
}

func (f *importFlags) run(cmd *cobra.Command, sources []string) (err error) {
	ctx := cmd.Context()
	options := transfer.Options{Random: rand.Reader, Clock: time.Now, Name: f.sourceName, NoProfile: f.profile == "", EndTokens: f.endTokens}
	// An age is counted from the beginning of the day: a later run of the same day goes on where one with another time would begin anew.
	options.Since = f.since.Time(time.Now().Truncate(24 * time.Hour))
	if options.Policy, err = movingPolicy(ctx, f.profile); err != nil {
		return err
	}
	file, err := report.Open(f.report)
	if err != nil {
		return err
	}
	defer file.Discard()
	from, zone, err := f.django.open(ctx, sources...)
	if err != nil {
		return err
	}
	defer from.Close()
	options.Zone = zone
	to, cleanup, err := f.target(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanup()) }()
	if f.dryRun {
		rehearsal, dropRehearsal, err := store.OpenTemp(ctx, "")
		if err != nil {
			return err
		}
		defer func() { _ = dropRehearsal() }() // a temporary folder
		options.Rehearsal = rehearsal.Rehearsal
	}
	if options.Sealer, err = f.sealer(ctx, to); err != nil {
		return err
	}
	if !f.dryRun {
		if err := recordOperation(ctx, to, core.ActionImport); err != nil {
			return err
		}
	}
	bar := term.NewProgress(cmd.ErrOrStderr())
	options.Progress = bar.Show
	found, err := transfer.Import(ctx, from, to.Transfer, options)
	switch {
	case errors.Is(err, transfer.ErrNoKey):
		return fmt.Errorf("%w: give it with %s or --secret-key-file", err, keyring.EnvVar)
	case errors.Is(err, transfer.ErrNoProfile):
		return fmt.Errorf("%w: give it with --profile NAME|FILE, or leave the tokens with --token-table %s", err, tables.NoTokens)
	}
	unreported := file.Write(found)
	var ending *transfer.EndingError
	if err != nil && !errors.As(err, &ending) {
		if found.Resumable > 0 && !f.dryRun {
			err = fmt.Errorf("%w\nstopped after %s; run it again and it goes on there", err, term.Count(found.Resumable, "user", "users"))
		}
		return errors.Join(err, unreported)
	}
	if err := errors.Join(writeImport(cmd.OutOrStdout(), found), unreported); err != nil {
		return err
	}
	if ending != nil {
		return fmt.Errorf("%w; if they were ended there, run it again with --end-tokens", err)
	}
	if found.Refused() > 0 {
		return &command.ExitError{Code: command.Verdict}
	}
	return nil
}

// target opens the store. A dry run on a database that is not there, or has no tables yet, makes
// none: it is one on an empty file somewhere else.
func (f *importFlags) target(ctx context.Context) (store.Backend, func() error, error) {
	there := true
	var err error
	if f.dryRun {
		there, err = store.Exists(ctx, f.store)
	}
	s, cleanup := store.Backend{}, func() error { return nil }
	switch {
	case err != nil:
	case !there:
		s, cleanup, err = store.OpenTemp(ctx, "")
	default:
		if s, err = store.Open(ctx, f.store); err == nil {
			cleanup = s.Close
		}
	}
	if err != nil {
		return store.Backend{}, nil, err
	}
	if s.Transfer == nil {
		return store.Backend{}, nil, errors.Join(fmt.Errorf("--store %s: this kind of store takes nothing over", store.Describe(f.store)), cleanup())
	}
	return s, cleanup, nil
}

// sealer finds the key. A dry run makes no key that stays: if it is killed, nobody can open
// what it leaves.
func (f *importFlags) sealer(ctx context.Context, to store.Backend) (sealing.Sealer, error) {
	if f.dryRun {
		key := make([]byte, sealing.KeySize)
		if _, err := rand.Read(key); err != nil {
			return sealing.Sealer{}, err
		}
		return sealing.NewSealer(key)
	}
	return keyring.Location{File: f.keyFile, DSN: f.store}.LoadOrCreate(ctx, to.Admin)
}

// writeImport says what was done.
func writeImport(w io.Writer, r *transfer.Report) error {
	var out strings.Builder
	switch {
	case r.DryRun:
		term.Printf(&out, "Dry run: nothing was written. This is what an import from %s would do.\n", r.Source)
	case r.Resumed:
		term.Printf(&out, "Went on where an earlier import from %s was cut off.\n"+
			"What that run had read was not read again: before you switch over, run this once more, for what has changed or ended there since.\n", r.Source)
	default:
		term.Printf(&out, "Imported from %s.\n", r.Source)
	}
	term.Printf(&out, "users: %s\n", counted(r.Users))
	for _, table := range slices.Sorted(maps.Keys(r.Tokens)) {
		term.Printf(&out, "tokens of %s: %s\n", table, counted(r.Tokens[table]))
	}
	if r.Addresses > 0 {
		term.Printf(&out, "addresses that users verify: %d read\n", r.Addresses)
	}
	if r.Renumbered > 0 {
		term.Printf(&out, "%s another id here: theirs is somebody else's, or no number above zero with room left above it\n", term.Count(r.Renumbered, "user has", "users have"))
	}
	switch {
	case r.Ended > 0 && r.DryRun:
		term.Printf(&out, "%s ended at the source since the last run, and would be ended here\n", term.Count(r.Ended, "token was", "tokens were"))
	case r.Ended > 0:
		term.Printf(&out, "%s ended at the source since the last run, and now here\n", term.Count(r.Ended, "token was", "tokens were"))
	}
	if r.Unsealed > 0 {
		term.Printf(&out, "%s, but can't be shown or exported again: no sealing key was given (%s or --secret-key-file)\n", term.Count(r.Unsealed, "token works", "tokens work"), keyring.EnvVar)
	}
	if len(r.Problems) > 0 {
		term.Printf(&out, "rows to look at:\n")
		writeProblems(&out, r.Problems, r.NotListed)
	}
	for _, note := range r.Notes {
		term.Printf(&out, "note: %s\n", note)
	}
	if n := r.Refused(); n > 0 {
		term.Printf(&out, "%s refused, and did not come over\n", term.Count(n, "row was", "rows were"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// counted says what became of rows; what did not happen is left out.
func counted(c transfer.Counts) string {
	text := fmt.Sprintf("%d read, %d added", c.Read, c.Added)
	for _, more := range []struct {
		n    int
		what string
	}{
		{c.Updated, "updated"}, {c.Unchanged, "unchanged"}, {c.Kept, "kept as they are in the target"}, {c.Expired, "expired"}, {c.Refused, "refused"},
	} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	return text
}
