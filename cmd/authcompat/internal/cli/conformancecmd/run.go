package conformancecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/store"
)

type runFlags struct {
	selection
	user, password string
	given          string // file with users and variables
	store          string
	format         flagvalue.Enum
	reports        []string
	asJSON         bool
	only           string
	failFast       bool
	timeout        flagvalue.Duration // of a request with its response
	common         config.CommonPasswords
}

func newRun() *cobra.Command {
	f := runFlags{format: flagvalue.NewEnum("text", "json", "junit"), timeout: flagvalue.Duration(conformance.DefaultTimeout)}
	cmd := &cobra.Command{
		Use:   "run --profile NAME|FILE|all",
		Short: "Replay the documented exchanges of a profile",
		Long: `Replay every documented exchange of a profile and compare status, headers and the whole body. The exchanges
are those that are built in for the profile, or your own: --exchanges FILE, whose line profile: says for which.

Without --target the server is started in this process, each exchange on a fresh store and with a clock
that exchanges move. With --target the exchanges go to a running server, old or new; the users that they
need are made through its API under names of this run, or --user and --password name one. What can't be
replayed there is listed with its reason and is no failure. Some exchanges guess a wrong password: start
a server of ours with --limits off for more than a few runs, so that they don't lock the user out.

Before anything is replayed at a target, a few requests find out whether it is the right API and the user
can log in. The results of exchanges are printed as they come. --report writes them into files, too: a page
for people (html), files for CI (junit, tap), a document with all that was sent and answered (json) and an
image for a README (badge, SVG). Passwords, tokens and hashes are in none of them. Where GITHUB_ACTIONS is
true, what failed is written to standard error as annotations of GitHub, too.

Exit codes: 0 all passed, 1 mismatches, 2 could not run.`,
		Example: `  authcompat conformance run --profile all
  authcompat conformance run --profile ./mine.yaml --exchanges my-exchanges.yaml
  authcompat conformance run --profile ocd-users --only '^login: ' --fail-fast
  authcompat conformance run --profile all --report html=report.html --report junit=report.xml
  authcompat conformance run --profile ocd-users --target http://127.0.0.1:8000
  authcompat conformance run --exchanges my-exchanges.yaml --target https://old.example.com
  authcompat conformance run --profile all --target knox-auth=http://127.0.0.1:8001 --target snippit=http://127.0.0.1:8002 --user john --password secret`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.profiles, "profile", nil, "profile to replay: a built-in name, a file, or all (repeatable; default: that of --exchanges)")
	flags.StringArrayVar(&f.exchanges, "exchanges", nil, "exchange file of your own, instead of the one that is built in for its profile (repeatable, one a profile)")
	flags.StringSliceVar(&f.targets, "target", nil, "[NAME=]URL of a running server to replay at (repeatable, one a profile)")
	flags.StringVar(&f.user, "user", "", "existing user of the target, where its API makes none")
	flags.StringVar(&f.password, "password", "", "password of --user")
	flags.StringVar(&f.given, "given", "", "file with existing users of the target, and the values of variables, that exchanges want")
	flags.StringVar(&f.store, "store", "", "database to run on in this process, in a part of its own that is dropped afterwards (default: temporary SQLite files)")
	flags.StringVar(&f.only, "only", "", "part of the names of the exchanges to replay, or a regular expression")
	flags.BoolVar(&f.failFast, "fail-fast", false, "end at the first exchange that fails")
	flags.Var(&f.timeout, "timeout", "how long a request may take, from connecting to the end of the response")
	flags.Var(&f.format, "format", "what is printed: text, json or junit")
	flags.StringArrayVar(&f.reports, "report", nil, "FORMAT=FILE: write a report into a file as well, also of a run that fails: "+formatNames()+" (repeatable)")
	flags.BoolVar(&f.asJSON, "json", false, "the same as --format json")
	// Where it is run, and as whom, which changes users there. AUTHCOMPAT_STORE is a server's.
	config.WithoutVariables(flags, "target", "user", "store")
	f.common.AddFlags(cmd.Flags())
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	chosen, err := f.choose(cmd.Context())
	if err != nil {
		return err
	}
	reports, err := f.openReports()
	if err != nil {
		return err
	}
	defer discard(reports)
	options := conformance.Options{User: f.user, Password: f.password, Timeout: time.Duration(f.timeout), FailFast: f.failFast, Transcripts: f.wantsTranscripts()}
	if f.given != "" {
		given, err := readGiven(cmd.Context(), f.given)
		if err != nil {
			return err
		}
		options.Users, options.Variables = given.Users, given.Variables
	}
	var launcher conformance.Launcher
	if len(f.targets) == 0 {
		if chosen, err = f.selectOnly(chosen); err != nil {
			return err
		}
		if launcher, err = f.inProcess(chosen); err != nil {
			return err
		}
	} else {
		var target conformance.Target
		if target, chosen, err = f.readTargets(chosen); err != nil {
			return err
		}
		if chosen, err = f.selectOnly(chosen); err != nil {
			return err
		}
		if err := f.look(cmd.Context(), target, chosen, options); err != nil {
			return errors.Join(err, f.reportUnfit(cmd.ErrOrStderr(), reports, target, chosen, err))
		}
		launcher = target
	}
	found, err := f.replay(cmd.Context(), cmd.OutOrStdout(), chosen, launcher, options)
	if err := errors.Join(err, f.report(cmd.ErrOrStderr(), reports, found)); err != nil {
		return err
	}
	switch found.Outcome() {
	case conformance.Passed:
		return nil
	case conformance.Mismatch:
		return &command.ExitError{Code: command.Verdict}
	}
	return &command.ExitError{Code: command.CouldNotRun}
}

// check checks the flags by themselves.
func (f *runFlags) check(cmd *cobra.Command) error {
	if err := command.OneOf(cmd, "target", "store"); err != nil {
		return err
	}
	if cmd.Flags().Changed("user") != cmd.Flags().Changed("password") {
		return errors.New("--user and --password: want both, or none")
	}
	if f.timeout == 0 {
		return errors.New("--timeout 0: a request has to have some time, such as 20s")
	}
	if f.asJSON {
		if cmd.Flags().Changed("format") && f.format.Value != "json" {
			return fmt.Errorf("--json and --format %s: want one of them, not both", f.format.Value)
		}
		f.format.Value = "json"
	}
	return nil
}

// inProcess returns a launcher of servers in this process.
func (f *runFlags) inProcess(chosen []subject) (conformance.Launcher, error) {
	if err := f.common.Read(); err != nil {
		return nil, fmt.Errorf("--%s: %w", config.CommonPasswordsFlag, err)
	}
	var all []*profiles.Profile
	for _, s := range chosen {
		all = append(all, s.profile)
	}
	return inprocess.NewLauncher(all, store.NewTemps(f.store), f.common.Options()...), nil
}

// replay replays the exchanges and writes the report: as text while they are replayed.
func (f *runFlags) replay(ctx context.Context, out io.Writer, chosen []subject, launcher conformance.Launcher, options conformance.Options) (*conformance.Report, error) {
	var files []*conformance.File
	for _, s := range chosen {
		files = append(files, s.some)
	}
	if f.format.Value != "text" {
		found := conformance.Run(ctx, files, launcher, options)
		if f.format.Value == "json" {
			return found, report.WriteJSON(out, found)
		}
		return found, report.WriteJUnit(out, found)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	text := report.NewTextWriter(out, term.ShowsColors(out))
	options.Begin = text.Begin
	options.Each = func(_ string, r conformance.Result) {
		if err := text.Result(&r); err != nil {
			cancel() // nobody sees the others
		}
	}
	found := conformance.Run(ctx, files, launcher, options)
	return found, text.End()
}
