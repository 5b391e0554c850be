package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/inprocess"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/report"
	"github.com/authcompat/authcompat/profiles"
)

// allProfiles stands for every built-in profile.
const allProfiles = "all"

func newConformance() *cobra.Command {
	return command.Group("conformance", "Replay documented exchanges at a server and compare", newConformanceRun())
}

type conformanceFlags struct {
	profiles       []string
	targets        []string
	user, password string
	store          string
	format         string
	common         config.CommonPasswords
}

func newConformanceRun() *cobra.Command {
	var f conformanceFlags
	cmd := &cobra.Command{
		Use:   "run --profile NAME|FILE|all",
		Short: "Replay the documented exchanges of a profile",
		Long: `Replay every documented exchange of a profile and compare status, headers and the whole body.

Without --target the server is started in this process, each exchange on a fresh store and with a clock
that exchanges move. With --target the exchanges go to a running server, old or new; the users that they
need are made through its API under names of this run, or --user and --password name one. What can't be
replayed there is listed with its reason and is no failure. Some exchanges guess a wrong password: start
a server of ours with --limits off for more than a few runs, so that they don't lock the user out.

Exit codes: 0 all passed, 1 mismatches, 2 could not run.`,
		Example: `  authcompat conformance run --profile all
  authcompat conformance run --profile ./mine.yaml
  authcompat conformance run --profile ocd-users --target http://127.0.0.1:8000
  authcompat conformance run --profile all --target knox-auth=http://127.0.0.1:8001 --target snippit=http://127.0.0.1:8002 --user john --password secret`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.profiles, "profile", nil, "profile to replay: a built-in name, a file, or all (repeatable)")
	flags.StringSliceVar(&f.targets, "target", nil, "[NAME=]URL of a running server to replay at (repeatable, one a profile)")
	flags.StringVar(&f.user, "user", "", "existing user of the target, where its API makes none")
	flags.StringVar(&f.password, "password", "", "password of --user")
	flags.StringVar(&f.store, "store", "", "database to run on in this process, in a part of its own that is dropped afterwards (default: temporary SQLite files)")
	flags.StringVar(&f.format, "format", "text", "report: text, json or junit")
	f.common.AddFlags(cmd.Flags())
	return cmd
}

func (f *conformanceFlags) run(cmd *cobra.Command) error {
	if err := command.OneOf(cmd, "target", "store"); err != nil {
		return err
	}
	if cmd.Flags().Changed("user") != cmd.Flags().Changed("password") {
		return errors.New("--user and --password: want both, or none")
	}
	write, err := reportWriter(f.format)
	if err != nil {
		return err
	}
	chosen, err := f.choose(cmd.Context())
	if err != nil {
		return err
	}
	launcher, chosen, err := f.launcher(chosen)
	if err != nil {
		return err
	}
	var files []*conformance.File
	for _, p := range chosen {
		file, err := conformance.Builtin(p.Name)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	replayed := conformance.Run(cmd.Context(), files, launcher, conformance.Options{User: f.user, Password: f.password})
	if err := write(cmd.OutOrStdout(), replayed); err != nil {
		return err
	}
	switch replayed.Outcome() {
	case conformance.Passed:
		return nil
	case conformance.Mismatch:
		return &command.ExitError{Code: command.Verdict}
	}
	return &command.ExitError{Code: command.CouldNotRun}
}

// choose loads the profiles that were asked for.
func (f *conformanceFlags) choose(ctx context.Context) ([]*profiles.Profile, error) {
	names := f.profiles
	if len(names) == 0 {
		return nil, fmt.Errorf("which profile? Give --profile NAME, FILE or %s; built in are %s", allProfiles, strings.Join(profiles.Builtin(), ", "))
	}
	if slices.Contains(names, allProfiles) {
		names = profiles.Builtin()
	}
	var chosen []*profiles.Profile
	for _, name := range names {
		p, err := profiles.LoadContext(ctx, name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, p)
	}
	return chosen, nil
}

// launcher returns where to replay, and which of the chosen profiles.
func (f *conformanceFlags) launcher(chosen []*profiles.Profile) (conformance.Launcher, []*profiles.Profile, error) {
	if len(f.targets) == 0 {
		if err := f.common.Read(); err != nil {
			return nil, nil, fmt.Errorf("--%s: %w", config.CommonPasswordsFlag, err)
		}
		return inprocess.NewLauncher(chosen, f.store, f.common.Options()...), chosen, nil
	}
	target := make(conformance.Target)
	for _, value := range f.targets {
		name, address, named := splitTarget(value)
		// Nothing is shown of one that may have a password in it.
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, nil, errors.New("--target: want [NAME=]http://HOST or [NAME=]https://HOST, without user, query and fragment")
		}
		if !named {
			if len(chosen) != 1 {
				return nil, nil, fmt.Errorf("--target %s: say which profile it speaks, NAME=URL: one server speaks one profile at an address", value)
			}
			name = chosen[0].Name
		}
		if !slices.ContainsFunc(chosen, func(p *profiles.Profile) bool { return p.Name == name }) {
			return nil, nil, fmt.Errorf("--target %s: profile %s is not among --profile", value, name)
		}
		if _, twice := target[name]; twice {
			return nil, nil, fmt.Errorf("--target %s: profile %s has a target already", value, name)
		}
		target[name] = address
	}
	// Of "all", those that have a target are meant.
	chosen = slices.DeleteFunc(chosen, func(p *profiles.Profile) bool {
		_, ok := target[p.Name]
		return !ok && slices.Contains(f.profiles, allProfiles)
	})
	return target, chosen, nil
}

// splitTarget cuts NAME= off a target. An = behind the scheme is the URL's own.
func splitTarget(value string) (name, address string, named bool) {
	name, address, named = strings.Cut(value, "=")
	if !named || strings.Contains(name, ":") {
		return "", value, false
	}
	return name, address, true
}

// reportWriter gives the writer of a report format.
func reportWriter(format string) (func(io.Writer, *conformance.Report) error, error) {
	switch format {
	case "text":
		return func(w io.Writer, r *conformance.Report) error { return report.WriteText(w, r, term.IsInteractive(w)) }, nil
	case "json":
		return report.WriteJSON, nil
	case "junit":
		return report.WriteJUnit, nil
	}
	return nil, fmt.Errorf("--format %q: want text, json or junit", format)
}
